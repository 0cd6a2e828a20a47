#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# /init and /sbin/init of Ostrya's ramdisk; what starts it is the kernel, as process 1.
#
#   api       /proc, /sys, /dev, /run
#   modules   what the hardware that is there needs, and what was asked for
#   device    root= or ostree_root=, waited for until a deadline
#   check     the file system's own tool
#   mount     the disk at /sysroot
#   root      the deployment at /sysroot.tmp: prepare-root.sh
#   switch    to it, by switch_root or pivot_root, and on to its /sbin/init
#
# Whatever goes wrong says its reason and restarts the machine, so that the boot loader counts the
# attempt. There is no udev, and no shell but with ostrya.debug.

PATH=/usr/sbin:/usr/bin
run=/run
mount_table=/tmp/mounts
OSTRYA_SOURCED=1
. /usr/lib/ostrya/prepare-root.sh

# To the console, unless it is to be quiet; to the kernel's log in any case, below what the console
# shows of it.
say() {
    [ "$quiet" = yes ] || echo "ostrya: $*"
    [ ! -w /dev/kmsg ] || echo "<7>ostrya: $*" > /dev/kmsg
}

fail() {
    # In the shell of a substitution as well: its end is that of the whole program.
    echo "ostrya: $*" > /dev/console
    [ ! -w /dev/kmsg ] || echo "<7>ostrya: $*" > /dev/kmsg
    if [ "$karg_debug" = yes ]; then
        echo "ostrya: ostrya.debug: a shell; its end restarts the machine" > /dev/console
        setsid cttyhack sh
    fi
    sync
    sleep 3
    reboot -f
    # Not reached. Process 1 must not end.
    while :; do sleep 60; done
}

# --------------------------------------------------------------------------------------- api

mount_api() {
    # One process for all of them: /etc/fstab of the ramdisk.
    [ -r /proc/cmdline ] || mount -a || fail "cannot mount /proc, /sys, /dev and /run"
    # Ours are more than the ten lines in five seconds that the kernel takes by default.
    kmsg_limit=
    if [ -w /proc/sys/kernel/printk_devkmsg ]; then
        read -r kmsg_limit < /proc/sys/kernel/printk_devkmsg
        echo on > /proc/sys/kernel/printk_devkmsg
    fi
    # A kernel that stops for good would not be counted.
    read -r panic_s < /proc/sys/kernel/panic
    [ "$panic_s" != 0 ] || echo 10 > /proc/sys/kernel/panic
}

read_own_kargs() {
    karg_root= karg_ostree_root= karg_fstype= karg_flags= karg_mode=rw karg_init=/sbin/init
    karg_debug=no karg_pivot=no karg_delay=0 karg_rootwait= karg_timeout= quiet=no
    karg_fsck_mode=auto karg_fsck_repair=preen
    set -f
    for word in $1; do
        case $word in
            --) break ;;
            root=*) karg_root=${word#*=} ;;
            ostree_root=*) karg_ostree_root=${word#*=} ;;
            rootfstype=*) karg_fstype=${word#*=} ;;
            rootflags=*) karg_flags=${word#*=} ;;
            rootdelay=*) karg_delay=${word#*=} ;;
            rootwait=*) karg_rootwait=${word#*=} ;;
            ro | rw) karg_mode=$word ;;
            init=*) karg_init=${word#*=} ;;
            quiet) quiet=yes ;;
            fsck.mode=*) karg_fsck_mode=${word#*=} ;;
            fsck.repair=*) karg_fsck_repair=${word#*=} ;;
            ostrya.root_timeout=*) karg_timeout=${word#*=} ;;
            ostrya.debug) karg_debug=yes ;;
            ostrya.pivot) karg_pivot=yes ;;
        esac
    done
    set +f
    case $karg_init in
        # What starts the deployment where there is no ramdisk; here that is us.
        */ostree-prepare-root | '') karg_init=/sbin/init ;;
        /*) ;;
        *) fail "init=$karg_init is not a path" ;;
    esac
    # Boards whose boot loader insists on root=/dev/ram0 say it with ostree_root=.
    root_spec=${karg_ostree_root:-$karg_root}
    case $root_spec in
        '' | /dev/ram*) root_spec=LABEL=otaroot ;;
    esac
    timeout_s=${karg_timeout:-${karg_rootwait:-30}}
    for number in "$timeout_s" "$karg_delay"; do
        case $number in
            '' | *[!0-9]*) fail "'$number' is not a number of seconds" ;;
        esac
    done
}

# ----------------------------------------------------------------------------------- modules

# Load what has an alias for a device that was not there the last time. Buses for which there is no
# driver are not looked at.
load_for_devices() {
    new_files= new_aliases=
    for bus in $buses; do
        for file in /sys/bus/"$bus"/devices/*/modalias; do
            case "$old_files " in
                *" $file "*) ;;
                *) [ ! -f "$file" ] || new_files="$new_files $file" ;;
            esac
        done
    done
    [ -n "$new_files" ] || return 1
    old_files=$old_files$new_files
    # The shell would read them byte by byte.
    for alias in $(cat $new_files 2> /dev/null); do
        case "$new_aliases " in
            *" $alias "*) ;;
            *) new_aliases="$new_aliases $alias" ;;
        esac
    done
    [ -n "$new_aliases" ] || return 0
    set -f
    quietly modprobe -qa $new_aliases
    set +f
}

load_modules() {
    has_no_drivers=yes
    [ -d /usr/lib/modules ] || return 0
    read -r kernel_version < /proc/sys/kernel/osrelease
    [ -f "/usr/lib/modules/$kernel_version/modules.dep" ] ||
        fail "this ramdisk has modules of another kernel than $kernel_version"
    if [ -s /etc/ostrya/modules ]; then
        # In their order.
        wanted=
        while read -r name; do wanted="$wanted $name"; done < /etc/ostrya/modules
        quietly modprobe -qa $wanted || say "modules: not all of$wanted could be loaded"
    fi
    old_files=
    read -r buses < /etc/ostrya/buses
    if [ -n "$buses" ]; then
        has_no_drivers=no
        # A bus brings devices, and these may be buses.
        while load_for_devices; do :; done
    fi
}

# ------------------------------------------------------------------------------------ device

# The device whose uevent file is $1.
uevent_device() {
    device=
    while IFS= read -r line; do
        case $line in DEVNAME=*) device=/dev/${line#*=} ;; esac
    done < "$1"
}

find_by_uevent() {
    for file in /sys/class/block/*/uevent; do
        name= match=no
        while IFS= read -r line; do
            case $line in
                DEVNAME=*) name=/dev/${line#*=} ;;
                "$1") match=yes ;;
            esac
        done < "$file"
        if [ $match = yes ]; then
            device=$name
            return
        fi
    done
}

# Number of the partition of the disk $1 whose id is $2; kernels before 6.10 do not tell it.
find_partition_number() {
    number=
    case $2 in
        ????????-??)
            sum=$(hexdump -v -s 440 -n 4 -e '4/1 "%02x "' "$1")
            set -- $sum "$2"
            [ "$4$3$2$1" = "${5%-*}" ] && number=$((0x${5#*-}))
            return
            ;;
    esac
    # The table of a GPT: 128 entries of 128 bytes from the second block; at 16 of each is the id.
    id=$2 at=0
    for sum in $(dd if="$1" bs="$sector" skip=2 count=$((16384 / sector)) 2> /dev/null |
        hexdump -v -e '16/1 "%02x" "\n"'); do
        at=$((at + 1))
        [ $((at % 8)) -eq 2 ] && [ "$sum" = "$id" ] && number=$((at / 8 + 1)) && return
    done
}

# As a GPT writes it: the first three fields are little endian.
gpt_bytes() {
    case $1 in ????????-????-????-????-????????????) ;; *) id=$1; return ;; esac
    old=$IFS IFS=-
    set -- $1
    IFS=$old
    id=
    for field in "$1" "$2" "$3"; do
        turned=
        while [ -n "$field" ]; do
            rest=${field#??} turned=${field%"$rest"}$turned field=$rest
        done
        id=$id$turned
    done
    id=$id$4$5
}

find_by_partuuid() {
    # As it is written in the command line, or as the kernel writes it.
    find_by_uevent "PARTUUID=$1"
    [ -z "$device" ] || return 0
    gpt_bytes "$1"
    wanted=$id
    for disk_folder in /sys/block/*; do
        # A disk with partitions.
        number=
        for file in "$disk_folder"/*/partition; do
            # A disk with partitions: which one has the id is read once, then each is looked at.
            [ -f "$file" ] || break
            if [ -z "$number" ]; then
                read -r sector < "$disk_folder/queue/logical_block_size"
                find_partition_number "/dev/${disk_folder##*/}" "$wanted"
                [ -n "$number" ] || break
            fi
            read -r other < "$file"
            [ "$other" != "$number" ] || uevent_device "${file%/*}/uevent"
        done
        [ -z "$device" ] || return 0
    done
}

# Look for $root_spec once; $device is its node, or empty.
look_for_root() {
    device=
    case $root_spec in
        /dev/*) [ ! -b "$root_spec" ] || device=$root_spec ;;
        LABEL=* | UUID=*) device=$(findfs "$root_spec" 2> /dev/null) ;;
        PARTUUID=*) find_by_partuuid "$partuuid" ;;
        PARTLABEL=*) find_by_uevent "PARTNAME=${root_spec#*=}" ;;
        *:*) [ ! -d "/sys/dev/block/$root_spec" ] ||
            uevent_device "/sys/dev/block/$root_spec/uevent" ;;
        *) fail "root=$root_spec is not understood" ;;
    esac
    [ -n "$device" ] && [ -b "$device" ]
}

read_seconds() {
    read -r seconds rest < /proc/uptime
    seconds=${seconds%%.*}
}

# Have $partitions say what disks there are; reading it forks nothing.
read_partitions() {
    partitions=
    while read -r line; do partitions="$partitions,$line"; done < /proc/partitions
}

find_root() {
    [ "$karg_delay" = 0 ] || sleep "$karg_delay"
    root_spec=${root_spec%\"} quoted=${root_spec#*=}
    root_spec=${root_spec%"$quoted"}${quoted#\"}
    partuuid=
    case $root_spec in
        # In lower case; but for this, no process is needed to compare.
        PARTUUID=*[A-F]*) partuuid=$(echo "${root_spec#*=}" | tr A-F a-f) ;;
        PARTUUID=*) partuuid=${root_spec#*=} ;;
    esac
    read_seconds
    deadline=$((seconds + timeout_s)) last_look=none
    while :; do
        read_partitions
        # Once a second in any case: a disk may be read before its contents are there.
        if [ "$partitions $seconds" != "$last_look" ]; then
            last_look="$partitions $seconds"
            look_for_root && return
        fi
        read_seconds
        [ "$seconds" -lt "$deadline" ] ||
            fail "root=$root_spec: no such device after $timeout_s s; disks: ${partitions#*,,}"
        [ "$has_no_drivers" = yes ] || load_for_devices
        usleep 50000
    done
}

# ----------------------------------------------------------------------------- check and mount

find_type() {
    fstype=${karg_fstype%%,*}
    [ -z "$fstype" ] || return 0
    # ext2, 3 and 4 have the same number, and the same tool.
    magic=$(hexdump -v -s 1080 -n 2 -e '2/1 "%02x"' "$device")
    [ "$magic" != 53ef ] || fstype=ext4
}

check_root() {
    case $karg_fsck_mode in
        skip) return ;;
        force) force=-f ;;
        *) force= ;;
    esac
    tool=/usr/sbin/fsck.$fstype
    if [ -z "$fstype" ] || [ ! -x "$tool" ]; then
        say "${fstype:-an unknown file system} on $device is not checked: no tool for it"
        return
    fi
    case $karg_fsck_repair in
        yes) repair=-y ;;
        no) repair=-n ;;
        *) repair=-p ;;
    esac
    words=$("$tool" $repair $force "$device" 2>&1)
    status=$?
    # The last line says what it came to.
    last=
    while IFS= read -r line; do
        [ -z "$line" ] || last=$line
        [ "$status" -eq 0 ] || say "${tool##*/}: $line"
    done << END
$words
END
    [ "$status" -lt 4 ] || fail "${tool##*/} $device: exit status $status: $last"
    [ "$status" -eq 0 ] || say "${tool##*/} repaired $device"
}

mount_disk() {
    say "root is $device"
    find_type
    check_root
    options=$karg_mode${karg_flags:+,$karg_flags}
    if [ -n "$karg_fstype" ] || [ -n "$fstype" ]; then
        must_mount -t "${karg_fstype:-$fstype}" -o "$options" "$device" /sysroot
    else
        load_for btrfs ext4
        must_mount -o "$options" "$device" /sysroot
    fi
}

# ------------------------------------------------------------------------------------- switch

# systemd must learn where an image has its disk: it looks for the other partitions there.
note_backing_device() {
    [ "$composefs" = yes ] || return 0
    must_mkdir /run/systemd
    ln -s "$device" /run/systemd/volatile-root
}

# Have $1 take over what is mounted, the disk and /proc at last.
move_mounts() {
    planned=
    for place in dev sys run $2 proc; do
        [ -d "$1/$place" ] || fail "the new root has no directory /$place"
        plan_mount move "/$place" "$1/$place"
    done
    mount_planned "$1/proc"
}

check_new_init() {
    # A link may be absolute, and lead to what is there only after the switch.
    [ -x "$1$karg_init" ] || [ -L "$1$karg_init" ] || fail "$karg_init: no such program in $deployment"
}

switch_by_switch_root() {
    move_mounts /sysroot.tmp sysroot
    exec switch_root /sysroot.tmp "$karg_init" "$@"
}

# pivot_root cannot leave the file system that the kernel unpacks a ramdisk into: go over to a copy
# of it first, in a file system of its own, and begin again there.
switch_to_copy() {
    must_mkdir /copy
    must_mount -t tmpfs -o mode=755 ramdisk /copy
    # modules that are loaded are not needed twice, but others may be asked for.
    quietly cp -a /init /etc /usr /bin /sbin /lib* /copy/ || fail "cp: $reason"
    must_mkdir /copy/dev /copy/proc /copy/sys /copy/run /copy/tmp /copy/sysroot /copy/sysroot.tmp
    move_mounts /copy ''
    exec switch_root /copy /sbin/init "$@"
}

switch_by_pivot_root() {
    must_mkdir /run/initramfs
    move_mounts /sysroot.tmp sysroot
    cd /sysroot.tmp || fail "cannot enter the new root"
    quietly pivot_root . run/initramfs || fail "pivot_root: $reason"
    # What runs from now on is the old root's program in the new root. It is in memory, and lets go
    # of the old root itself.
    exec /run/initramfs/usr/bin/busybox chroot . /run/initramfs/usr/bin/busybox sh -c '
        /run/initramfs/usr/bin/busybox umount -l /run/initramfs
        exec "$@"' sh "$karg_init" "$@"
}

# --------------------------------------------------------------------------------------- all

start() {
    mount_api
    read -r cmdline < /proc/cmdline
    read_own_kargs "$cmdline"
    read_kargs "$cmdline"
    # The second time, with pivot_root, all hardware is there. Only then is / no longer the kernel's.
    if [ "$karg_pivot" = yes ] && [ ! -f /run/ostrya-copy ]; then
        : > /run/ostrya-copy
        switch_to_copy "$@"
    fi
    load_modules
    find_root
    mount_disk
    read_settings /sysroot ''
    assemble /sysroot /sysroot.tmp
    finish_sysroot /sysroot
    check_new_init /sysroot.tmp
    note_backing_device
    say "starting $karg_init of $deployment"
    [ -z "$kmsg_limit" ] || echo "$kmsg_limit" > /proc/sys/kernel/printk_devkmsg
    if [ "$karg_pivot" = yes ]; then
        rm -f /run/ostrya-copy
        switch_by_pivot_root "$@"
    fi
    switch_by_switch_root "$@"
}

[ -n "$OSTRYA_TESTED" ] || start "$@"
