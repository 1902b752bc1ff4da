"""The tables of the tasks projection, in whatever schema the connection's search_path names first."""

TABLES = ("task_event", "task")

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
    actor       text,
    UNIQUE NULLS NOT DISTINCT (account_id, task_id, position)
);

-- One row a task, as of now: what a list of them shows. last_closed_at is -infinity where there was no closing yet; the
-- estimate and what follows are null where no plan stands.
CREATE TABLE IF NOT EXISTS task (
    account_id        text COLLATE "C" NOT NULL,
    task_id           text COLLATE "C" NOT NULL,
    title             text,
    category          text,
    state             text NOT NULL CHECK (state IN ('open', 'closed', 'warranty')),
    under_warranty    boolean NOT NULL,
    closings          integer NOT NULL,
    worked_minutes    bigint NOT NULL,
    charged_minutes   bigint NOT NULL,
    last_closed_at    timestamptz NOT NULL,
    estimated_minutes bigint,
    planned_minutes   bigint,
    planned_start_at  timestamptz,
    PRIMARY KEY (account_id, task_id)
);
CREATE INDEX IF NOT EXISTS task_by_closing ON task (account_id, last_closed_at, task_id);
"""
