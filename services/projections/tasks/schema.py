"""The table of the tasks projection, in whatever schema the connection's search_path names first."""

TABLES = ("task_event",)

SCHEMA = """
-- What happened to a task, in the words of the log. Without a task: what happened to packages, which any task of the
-- account may have drawn on.
CREATE TABLE IF NOT EXISTS task_event (
    account_id  text COLLATE "C" NOT NULL,
    task_id     text COLLATE "C",
    position    bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    type        text NOT NULL,
    data        text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (account_id, task_id, position)
);
"""
