package realtime

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// Querier is a *sql.DB, or a *sql.Tx: then the event goes out with its commit.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Publish publishes to one user. A nil detail is an empty one.
func Publish(ctx context.Context, db Querier, userID, eventType string, detail map[string]any) (id int64, err error) {
	if userID == "" {
		return 0, errors.New("Publish needs a user's id (it is empty)")
	}
	if detail == nil {
		detail = map[string]any{}
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "select djr.publish($1::text, $2, $3::jsonb)", userID, eventType, string(text)).Scan(&id)
	return id, err
}
