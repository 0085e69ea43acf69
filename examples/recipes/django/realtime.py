import json

from django.db import connection


def publish(user_id, type, detail=None):
    """Publishes to one user, with the transaction that is open."""
    if user_id is None:
        raise ValueError("publish needs a user's id (it is None); publish_public is for every client")
    with connection.cursor() as cursor:
        cursor.execute(
            "select djr.publish(%s::text, %s, %s::jsonb)",
            [str(user_id), type, json.dumps(detail or {})],
        )
        return cursor.fetchone()[0]


def publish_public(type, detail=None):
    """Publishes to every client."""
    with connection.cursor() as cursor:
        cursor.execute("select djr.publish_public(%s, %s::jsonb)", [type, json.dumps(detail or {})])
        return cursor.fetchone()[0]
