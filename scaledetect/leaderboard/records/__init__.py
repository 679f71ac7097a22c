"""Records: one JSON object a run, checked against one schema, hashed, and read as data only."""

from scaledetect._base.canonical_json import canonical_json, content_hash
from scaledetect.leaderboard.records.environment import Environment
from scaledetect.leaderboard.records.merging import Conflict, Merged, merge_records, unique_records
from scaledetect.leaderboard.records.schema import Record, Scores, Served, record_schema, run_key
from scaledetect.leaderboard.records.storage import (
    SIZE_LIMIT,
    BadRecord,
    ChangedRecordError,
    RecordError,
    find_records,
    keyed_path,
    read_record,
    read_records,
    record_path,
    write_lines,
    write_record,
)

__all__ = [
    "SIZE_LIMIT",
    "BadRecord",
    "ChangedRecordError",
    "Conflict",
    "Environment",
    "Merged",
    "Record",
    "RecordError",
    "Scores",
    "Served",
    "canonical_json",
    "content_hash",
    "find_records",
    "keyed_path",
    "merge_records",
    "read_record",
    "read_records",
    "record_path",
    "record_schema",
    "run_key",
    "unique_records",
    "write_lines",
    "write_record",
]
