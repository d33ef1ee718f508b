"""s3fs (and pandas on it) against Salvia, unpatched."""
import io

import pandas
import s3fs

from harness import run

bucket = "acceptance-s3fs"
files = s3fs.S3FileSystem()


def a_bucket_is_made_and_found():
    files.mkdir(bucket, region_name="us-west-2")
    assert bucket in files.ls("")
    assert files.exists(bucket)


def files_are_written_listed_and_read():
    with files.open(f"{bucket}/folder/one.txt", "w") as file:
        file.write("first\nsecond\n")
    assert files.cat(f"{bucket}/folder/one.txt") == b"first\nsecond\n"
    assert files.ls(f"{bucket}/folder") == [f"{bucket}/folder/one.txt"]
    assert files.info(f"{bucket}/folder/one.txt")["size"] == 13
    assert files.isdir(f"{bucket}/folder") and not files.isdir(f"{bucket}/folder/one.txt")


def a_large_file_is_written_in_parts_and_read_by_ranges():
    block = bytes(range(256)) * 4096
    with files.open(f"{bucket}/large.bin", "wb", block_size=5 * 2**20) as file:
        for _ in range(12):
            file.write(block)
    files.invalidate_cache()
    assert files.size(f"{bucket}/large.bin") == 12 * len(block)
    with files.open(f"{bucket}/large.bin", "rb") as file:
        file.seek(11 * len(block) + 7)
        assert file.read(5) == bytes(range(7, 12))


def names_of_every_kind_are_kept():
    for name in ["ü é.txt", "a+b&c=d.txt", "percent%20.txt", "tilde~.txt", "quote'.txt"]:
        files.pipe(f"{bucket}/odd/{name}", name.encode())
    files.invalidate_cache()
    assert sorted(files.glob(f"{bucket}/odd/*.txt")) == sorted(
        f"{bucket}/odd/{name}" for name in ["ü é.txt", "a+b&c=d.txt", "percent%20.txt", "tilde~.txt", "quote'.txt"]
    )
    assert files.cat(f"{bucket}/odd/percent%20.txt") == b"percent%20.txt"


def files_are_copied_moved_and_removed():
    files.copy(f"{bucket}/folder/one.txt", f"{bucket}/folder/two.txt")
    files.mv(f"{bucket}/folder/two.txt", f"{bucket}/folder/three.txt")
    files.invalidate_cache()
    assert sorted(files.ls(f"{bucket}/folder")) == [f"{bucket}/folder/one.txt", f"{bucket}/folder/three.txt"]
    files.rm(f"{bucket}/folder", recursive=True)
    files.invalidate_cache()
    assert not files.exists(f"{bucket}/folder/one.txt")


def a_table_goes_through_pandas():
    table = pandas.DataFrame({"x": [1, 2, 3], "name": ["a", "b", "ü"]})
    table.to_csv(f"s3://{bucket}/table.csv", index=False)
    assert pandas.read_csv(f"s3://{bucket}/table.csv").equals(table)
    text = io.StringIO()
    table.to_csv(text, index=False)
    assert files.cat(f"{bucket}/table.csv").decode() == text.getvalue()


def a_missing_file_is_a_file_not_found():
    try:
        files.cat(f"{bucket}/missing")
    except FileNotFoundError:
        return
    raise AssertionError("a missing file was read")


def the_bucket_is_removed():
    files.rm(bucket, recursive=True)
    files.invalidate_cache()
    assert not files.exists(bucket)


run(
    [
        a_bucket_is_made_and_found,
        files_are_written_listed_and_read,
        a_large_file_is_written_in_parts_and_read_by_ranges,
        names_of_every_kind_are_kept,
        files_are_copied_moved_and_removed,
        a_table_goes_through_pandas,
        a_missing_file_is_a_file_not_found,
        the_bucket_is_removed,
    ]
)
