# SPDX-License-Identifier: Apache-2.0
from ostrya.formats.object_name import ObjectType
from ostrya.image.objects import copy_objects
from ostrya.progress import NULL_PROGRESS
from ostrya.repo.reader import load_file, load_metadata
from ostrya.repo.traverse import reachable_objects


def test_every_object_is_there_as_a_file(repo, releases, tmp_path):
    top = tmp_path / "objects"
    top.mkdir()
    found = copy_objects(repo, [releases[0].checksum], str(top), NULL_PROGRESS)
    names = list(reachable_objects(repo, [releases[0].checksum]))
    paths = {f"{path.parent.name}{path.name}": path for path in top.glob("*/*")}
    assert len(paths) == len(names)
    for name in names:
        path = paths.pop(str(name))
        assert path.lstat().st_mtime_ns == 0
        if name.type is not ObjectType.FILE:
            assert path.read_bytes() == load_metadata(repo, name)
            continue
        with load_file(repo, name.checksum) as file:
            header, inode = file.header, found[name.checksum]
            assert (inode.uid, inode.gid, inode.xattrs) == (header.uid, header.gid, header.xattrs)
            assert inode.mode == (None if header.is_symlink else header.mode)
            if header.is_symlink:
                assert str(path.readlink()) == header.symlink_target
            else:
                assert path.read_bytes() == file.read()
                assert path.stat().st_mode & 0o7777 == header.mode & 0o777 | 0o600
    assert not paths
