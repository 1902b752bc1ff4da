"""Roles of PostgreSQL as which the parts work; a login is a member of those that its part needs.

Roles belong to the whole cluster: another database's migrations may be making the same one at this moment, and
PostgreSQL reports that in several ways.
"""

AUDITOR = "hourbook_auditor"
"""Reads the log and what is made of it, in the schemas of both."""

_MAKE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""

# A login that is not a superuser has to be a member to take the role on.
_JOIN = """
DO $$ BEGIN
    IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
        GRANT {role} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
"""

# Where this login may not pass the right on, PostgreSQL warns and goes on. The lock: the right stands in one row.
_LET_MAKE_SCHEMAS = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(1213156953);
    IF NOT has_database_privilege('{role}', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO {role}', current_database());
    END IF;
END $$;
"""


def made(*roles: str) -> str:
    """SQL that makes the roles which are missing. Outside of a transaction."""
    return "".join(_MAKE.format(role=role) for role in roles)


def joined(*roles: str) -> str:
    """SQL that makes this login a member of the roles of which it is none. Outside of a transaction."""
    return "".join(_JOIN.format(role=role) for role in roles)


def let_make_schemas(role: str) -> str:
    """SQL that lets a role make schemas in this database, where this login may do so."""
    return _LET_MAKE_SCHEMAS.format(role=role)
