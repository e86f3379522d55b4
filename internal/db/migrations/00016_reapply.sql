-- +goose Up

-- directories
-- reapply_done: how many people the pass has made due so far. Counting those after reapply_after would go through the directory each time
-- somebody looks how far it is.
ALTER TABLE directories ADD COLUMN reapply_done BIGINT;

-- +goose Down

ALTER TABLE directories DROP COLUMN reapply_done;
