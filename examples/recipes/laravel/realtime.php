<?php

/** Publishes to one user, with the transaction that is open. In Laravel $pdo is DB::connection()->getPdo(). */
function publish(PDO $pdo, int|string $userId, string $type, array $detail = []): int
{
    $statement = $pdo->prepare('select djr.publish(cast(? as text), ?, cast(? as jsonb))');
    // A detail is an object: an empty array of PHP would be encoded as [].
    $statement->execute([(string) $userId, $type, json_encode((object) $detail, JSON_THROW_ON_ERROR)]);
    return (int) $statement->fetchColumn();
}

/** Publishes to every client. */
function publish_public(PDO $pdo, string $type, array $detail = []): int
{
    $statement = $pdo->prepare('select djr.publish_public(?, cast(? as jsonb))');
    $statement->execute([$type, json_encode((object) $detail, JSON_THROW_ON_ERROR)]);
    return (int) $statement->fetchColumn();
}
