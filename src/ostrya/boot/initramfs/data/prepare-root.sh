#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ostree-prepare-root ROOT
#
# Puts the root of a deployment together from the disk that is mounted at ROOT, and leaves it there:
#
#   ROOT            the deployment that ostree= on the kernel's command line names
#   ROOT/usr        read-only, or the layer of a hotfix over it
#   ROOT/etc        writable
#   ROOT/var        the stateroot's
#   ROOT/boot       the disk's, if boot entries are there
#   ROOT/sysroot    the disk
#
# Where ROOT is /, there is no ramdisk: the deployment becomes the root, and as process 1 this goes
# on to start its /sbin/init.
#
# Our own /init reads this file for its functions. It is plain POSIX sh for any shell of a ramdisk,
# and it forks as little as it can: on a slow board every process counts.
#
# Source of the layout: ostree-prepare-root(1), otcore.h.

# ------------------------------------------------------------------------------------ settings

# Set what kernel arguments say: $cmdline in, variables out. Of several the last one counts.
read_kargs() {
    karg_ostree= karg_composefs= karg_slot=
    set -f
    for word in $1; do
        case $word in
            --) break ;;
            ostree=*) karg_ostree=${word#*=} ;;
            ostree.prepare-root.composefs=*) karg_composefs=${word#*=} ;;
            androidboot.slot_suffix=*) karg_slot=${word#*=} ;;
        esac
    done
    set +f
    # Android's boot loader names a slot, not a deployment.
    if [ -z "$karg_ostree" ]; then
        case $karg_slot in
            _a | _b) karg_ostree=/ostree/root.${karg_slot#_} ;;
        esac
    fi
}

# Set what a key file says, $1: each key of interest becomes a variable. Absent files say nothing.
read_key_file() {
    [ -f "$1" ] || return 0
    group=
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line#"${line%%[! 	]*}"}
        case $line in
            '' | '#'*) continue ;;
            '['*']'*) group=${line#'['} group=${group%%']'*} ; continue ;;
            *=*) ;;
            *) continue ;;
        esac
        key=${line%%=*} value=${line#*=}
        key=${key%"${key##*[! 	]}"}
        value=${value#"${value%%[! 	]*}"}
        value=${value%"${value##*[! 	]}"}
        case $group.$key in
            composefs.enabled) conf_composefs=$value ;;
            etc.transient) conf_etc_transient=$value ;;
            root.transient) conf_root_transient=$value ;;
            root.transient-ro) conf_root_transient_ro=$value ;;
            sysroot.readonly) conf_sysroot_readonly=$value ;;
        esac
    done < "$1"
}

# Make yes or no of the value $2 of the setting $1; $3 where there is none.
read_truth() {
    case $2 in
        '') truth=$3 ;;
        true | 1) truth=yes ;;
        false | 0) truth=no ;;
        *) fail "$1=$2 in prepare-root.conf is neither true nor false" ;;
    esac
}

# Decide how the root is to be: $1 is the disk, $2 where the configuration of the ramdisk is.
read_settings() {
    conf_composefs= conf_etc_transient= conf_root_transient= conf_root_transient_ro=
    conf_sysroot_readonly=
    read_key_file "$2/usr/lib/ostree/prepare-root.conf"
    read_key_file "$2/etc/ostree/prepare-root.conf"
    case ${karg_composefs:-$conf_composefs} in
        '' | no | false | 0) composefs=no ;;
        yes | true | 1) composefs=yes ;;
        maybe) composefs=maybe ;;
        verity | signed)
            fail "composefs.enabled=${karg_composefs:-$conf_composefs}: this ramdisk cannot check images"
            ;;
        *) fail "composefs.enabled=${karg_composefs:-$conf_composefs}: unknown" ;;
    esac
    read_truth etc.transient "$conf_etc_transient" no; etc_transient=$truth
    read_truth root.transient-ro "$conf_root_transient_ro" no; root_transient_ro=$truth
    read_truth root.transient "$conf_root_transient" "$root_transient_ro"; root_transient=$truth
    if [ -z "$conf_sysroot_readonly" ]; then
        read_key_file "$1/ostree/repo/config"
    fi
    readonly_default=no
    [ "$composefs" = yes ] && readonly_default=yes
    read_truth sysroot.readonly "$conf_sysroot_readonly" "$readonly_default"; sysroot_readonly=$truth
}

# ------------------------------------------------------------------------- /run/ostree-booted

# It is a GVariant a{sv}. The pieces are written as octal escapes, for printf.
gv_begin() {
    gv_text= gv_length=0 gv_ends= gv_count=0
}

gv_pad() {
    while [ $((gv_length % 8)) -ne 0 ]; do
        gv_text="$gv_text\\000" gv_length=$((gv_length + 1))
    done
}

gv_byte() {
    gv_text="$gv_text\\$(($1 >> 6 & 7))$(($1 >> 3 & 7))$(($1 & 7))" gv_length=$((gv_length + 1))
}

# An integer of $2 bytes, in the order of the machine.
gv_integer() {
    gv_at=0
    while [ "$gv_at" -lt "$2" ]; do
        if [ "$byte_order" = big ]; then
            gv_byte $(($1 >> ($2 - 1 - gv_at) * 8 & 255))
        else
            gv_byte $(($1 >> gv_at * 8 & 255))
        fi
        gv_at=$((gv_at + 1))
    done
}

# An entry {sv}: its key $1, its type $2, and its value: true, a text, or two 64-bit integers.
gv_entry() {
    gv_pad
    gv_start=$gv_length
    gv_text="$gv_text$1\\000" gv_length=$((gv_length + ${#1} + 1))
    gv_key_end=$((gv_length - gv_start))
    gv_pad
    case $2 in
        b) gv_byte 1 ;;
        s) gv_text="$gv_text$3\\000" gv_length=$((gv_length + ${#3} + 1)) ;;
        '(tt)') gv_integer "$3" 8; gv_integer "$4" 8 ;;
    esac
    gv_text="$gv_text\\000$2" gv_length=$((gv_length + 1 + ${#2}))
    # An entry is never longer than what one byte counts.
    gv_byte "$gv_key_end"
    gv_ends="$gv_ends $gv_length" gv_count=$((gv_count + 1))
}

gv_end() {
    gv_width=1
    [ $((gv_length + gv_count)) -gt 255 ] && gv_width=2
    # Where entries end is written in little endian on all machines.
    gv_order=$byte_order byte_order=little
    for gv_offset in $gv_ends; do
        gv_integer "$gv_offset" "$gv_width"
    done
    byte_order=$gv_order
}

# Note for the running system how its root came to be; $1 is its /run.
write_booted() {
    byte_order=little
    if [ -r /sys/kernel/cpu_byteorder ]; then
        read -r byte_order < /sys/kernel/cpu_byteorder
    fi
    identity=$(stat -c '%d %i' "$deployment") || fail "cannot read the inode of $deployment"
    gv_begin
    gv_entry backing-root-device-inode '(tt)' "${identity% *}" "${identity#* }"
    [ "$composefs" = no ] || gv_entry composefs b
    [ "$root_transient" = no ] || gv_entry root.transient b
    [ "$root_transient_ro" = no ] || gv_entry root.transient-ro b
    [ "$sysroot_readonly" = no ] || gv_entry sysroot-ro b
    [ "$etc_transient" = no ] || gv_entry transient-etc s /run/ostree/transient-etc
    gv_end
    # The format has nothing in it but names, paths of ours and escapes.
    printf "$gv_text" > "$1/ostree-booted" || fail "cannot write $1/ostree-booted"
    # As ostree up to 2023 looks for it.
    [ "$sysroot_readonly" = no ] || : > "$1/ostree-sysroot-ro.stamp"
}

# -------------------------------------------------------------------------------------- mounts

# Run something whose words are kept in $reason. There may be no /dev/null yet.
quietly() {
    reason=$("$@" 2>&1)
}

# Mount, or say why not.
must_mount() {
    quietly mount "$@" || fail "mount $*: $reason"
}

must_mkdir() {
    quietly mkdir -p "$@" || fail "mkdir $*: $reason"
}

# Plan a mount: $1 is bind or move, $2 its source, $3 its place.
plan_mount() {
    planned="$planned$1 $2 $3
"
}

# Do what was planned. With $mount_table, a file of the ramdisk, one process does all of it. busybox does
# not tell what it could not do: that is looked up in $1, where /proc is afterwards, and done one by one,
# so that the reason is known.
# shellcheck disable=SC2120
mount_planned() {
    mounted=
    case $planned in
        # What a table of mounts would have to quote.
        *[!A-Za-z0-9/._\ "
"-]*) ;;
        *) [ -z "$mount_table" ] || mount_by_table "${1:-/proc}" ;;
    esac
    while read -r m_how m_source m_place; do
        case "$m_how $mounted " in
            ' '*) ;;
            *" $m_place "*) ;;
            *) must_mount "--$m_how" "$m_source" "$m_place" ;;
        esac
    done << END
$planned
END
    planned=
}

mount_by_table() {
    while read -r m_how m_source m_place; do
        [ -z "$m_how" ] || echo "$m_source $m_place none $m_how 0 0"
    done > "$mount_table" << END
$planned
END
    quietly mount -a -T "$mount_table"
    while read -r m_source m_place m_rest; do
        mounted="$mounted $m_place"
    done < "$1/self/mounts"
}

# Find the deployment below the disk $1; set $deployment, $stateroot.
find_deployment() {
    [ -n "$karg_ostree" ] || fail "no ostree= on the kernel's command line"
    disk=${1%/}
    link=$disk/${karg_ostree#/}
    [ -L "$link" ] || {
        [ -e "$link" ] && fail "ostree=$karg_ostree is not a symbolic link"
        fail "ostree=$karg_ostree: there is no such link on the disk"
    }
    # The shell itself follows the links. None of ours leads out of the disk.
    cd -P "$link" 2>&- || fail "ostree=$karg_ostree: its deployment is missing"
    deployment=$PWD
    cd /
    case $deployment in
        "$disk"/ostree/deploy/*/deploy/*/*) ;;
        "$disk"/ostree/deploy/*/deploy/*) stateroot=${deployment#"$disk"/ostree/deploy/} ;;
    esac
    stateroot=${stateroot%%/*}
    [ -n "$stateroot" ] || fail "ostree=$karg_ostree leads to $deployment, which is no deployment"
    [ -d "$deployment/usr" ] || fail "$deployment has no /usr"
}

# Say whether the file $1/etc/fstab mounts something at $2; then that is not ours to mount.
is_in_fstab() {
    [ -f "$1/etc/fstab" ] || return 1
    while read -r fs_source fs_place fs_rest; do
        case $fs_source in '#'*) continue ;; esac
        [ "${fs_place%/}" = "$2" ] && return 0
    done < "$1/etc/fstab"
    return 1
}

# The layer that root.transient writes to: $upper, $work; kept until the next deployment.
make_root_layer() {
    layer=$disk/ostree/deploy/$stateroot/backing/${deployment##*/}/root-transient
    upper=$layer/upper work=$layer/work
    [ -d "$upper" ] && [ -d "$work" ] || must_mkdir "$upper" "$work"
    layer_options=,upperdir=$upper,workdir=$work
    [ "$root_transient_ro" = no ] || layer_options=,ro$layer_options
}

load_for() {
    quietly modprobe -a "$@"
}

# Mount the image of the deployment at $1; on failure $reason says why.
mount_composefs() {
    reason="there is no .ostree.cfs in $deployment"
    [ -f "$deployment/.ostree.cfs" ] || return 1
    load_for loop erofs overlay
    lower=$run/ostree/.private/composefs
    must_mkdir "$lower"
    chmod 0 "$run/ostree/.private"
    quietly mount -t erofs -o ro "$deployment/.ostree.cfs" "$lower" || return 1
    cfs_options=metacopy=on,redirect_dir=on
    if [ "$root_transient" = yes ]; then
        make_root_layer
        cfs_options=$cfs_options$layer_options
    else
        cfs_options=ro,$cfs_options
    fi
    objects=$disk/ostree/repo/objects
    # Kernels before 6.5 take objects for a layer like any other; images hide its directories.
    quietly mount -t overlay -o "$cfs_options,lowerdir=$lower::$objects" overlay "$1" ||
        quietly mount -t overlay -o "$cfs_options,lowerdir=$lower:$objects" overlay "$1" ||
        { umount "$lower"; return 1; }
    umount -l "$lower"
}

# Mount the root of the deployment at $1; its files can be looked at in $view, even before.
mount_root() {
    if [ "$composefs" != no ]; then
        if mount_composefs "$1"; then
            composefs=yes view=$1
            return
        fi
        [ "$composefs" = maybe ] || fail "composefs: $reason"
        say "no composefs: $reason"
        composefs=no
    fi
    if [ "$root_transient" = yes ]; then
        load_for overlay
        make_root_layer
        must_mount -t overlay -o "lowerdir=$deployment$layer_options" overlay "$1"
        view=$1
    else
        plan_mount bind "$deployment" "$1"
        view=$deployment
    fi
}

mount_etc() {
    [ -d "$view/etc" ] || return 0
    if [ "$etc_transient" = yes ]; then
        load_for overlay
        layer=$run/ostree/transient-etc
        must_mkdir "$layer/upper" "$layer/work"
        etc_lower=$deployment/usr/etc
        [ -d "$etc_lower" ] || etc_lower=$deployment/etc
        mount_planned
        must_mount -t overlay -o "lowerdir=$etc_lower,upperdir=$layer/upper,workdir=$layer/work" \
            overlay "$1/etc"
    elif [ "$root_transient" = no ]; then
        plan_mount bind "$deployment/etc" "$1/etc"
    fi
}

mount_usr() {
    # A transient root has a writable /usr, and an image is read-only by itself.
    [ "$root_transient" = no ] || return 0
    if [ -d "$deployment/.usr-ovl-work" ]; then
        load_for overlay
        layer=$deployment/.usr-ovl
        mount_planned
        must_mount -t overlay \
            -o "lowerdir=$deployment/usr,upperdir=$layer-upper,workdir=$layer-work" overlay "$1/usr"
        say "/usr is a hotfix"
    elif [ "$composefs" = no ]; then
        plan_mount bind "$deployment/usr" "$1/usr"
        readonly_usr=yes
    fi
}

mount_var_and_boot() {
    if [ -d "$view/var" ] && ! is_in_fstab "$deployment" /var; then
        plan_mount bind "$disk/ostree/deploy/$stateroot/var" "$1/var"
    fi
    if [ -L "$disk/boot/loader" ] && [ -d "$view/boot" ] && ! is_in_fstab "$deployment" /boot; then
        plan_mount bind "$disk/boot" "$1/boot"
    fi
}

# Put it together at $2 from the disk at $1, all but the disk itself; $run is /run.
assemble() {
    find_deployment "$1"
    planned= readonly_usr=no
    mount_root "$2"
    [ -d "$view/sysroot" ] && [ ! -L "$view/sysroot" ] ||
        fail "$deployment has no directory /sysroot"
    mount_etc "$2"
    mount_usr "$2"
    mount_var_and_boot "$2"
    mount_planned
    [ $readonly_usr = no ] || must_mount -o remount,bind,ro "$2/usr"
    [ ! -d "$run" ] || write_booted "$run"
}

# The disk is at $1 now.
finish_sysroot() {
    [ "$sysroot_readonly" = no ] || must_mount -o remount,bind,ro "$1"
}

# ------------------------------------------------------------------------------- as a program

# With a ramdisk: the deployment takes the place of the disk at $1.
prepare_below() {
    # A mount cannot be moved out of one that is shared.
    quietly mount --make-rprivate /
    [ -d /sysroot.tmp ] || must_mkdir /sysroot.tmp
    assemble "$1" /sysroot.tmp
    must_mount --move "$1" /sysroot.tmp/sysroot
    finish_sysroot /sysroot.tmp/sysroot
    must_mount --move /sysroot.tmp "$1"
}

# Without: the deployment becomes the root.
prepare_here() {
    find_deployment /
    quietly mount --make-rprivate /
    # Nothing can be made on a disk that is mounted read-only: the deployment is mounted on itself.
    assemble / "$deployment"
    cd "$deployment" || fail "cannot enter $deployment"
    if [ $$ -eq 1 ]; then
        must_mount -t tmpfs -o mode=755,nosuid,nodev run run
        must_mkdir run/ostree
        write_booted run
        quietly mount -t devtmpfs dev dev
    fi
    quietly pivot_root . sysroot || fail "pivot_root: $reason"
    cd /
    finish_sysroot /sysroot
}

say() {
    echo "ostrya: $*"
}

fail() {
    echo "ostrya: $*" >&2
    # In the ramdisk of a distribution: as our own does, so that the attempt is counted.
    if [ $$ -eq 1 ] || [ "$OSTRYA_REBOOT" = yes ]; then
        case " $cmdline " in
            *' ostrya.debug '*) ;;
            *)
                sync
                sleep 3
                reboot -f || echo b > /proc/sysrq-trigger
                ;;
        esac
    fi
    exit 1
}

main() {
    run=/run
    # Process 1 is told in its environment what the kernel does not know.
    cmdline=${ostree:+ostree=$ostree}
    [ -r /proc/cmdline ] || quietly mount -t proc proc /proc
    [ ! -r /proc/cmdline ] || read -r cmdline < /proc/cmdline
    read_kargs "$cmdline"
    cd -P "${1:-/}" 2>&- || fail "there is no directory $1"
    root=$PWD
    cd /
    read_settings "$root" ''
    if [ "$root" != / ]; then
        prepare_below "$root"
        return
    fi
    prepare_here
    [ $$ -ne 1 ] || exec /sbin/init "$@"
}

[ -n "$OSTRYA_SOURCED" ] || main "$@"
