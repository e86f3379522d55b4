-- +goose Up

-- offboardings
-- directory_user_id: the person of the directory; NULL of those from before and of nobody's. What a brake held of them is told later, and belongs to
-- the receipt.
ALTER TABLE offboardings ADD COLUMN directory_user_id {{text}};

-- +goose Down

ALTER TABLE offboardings DROP COLUMN directory_user_id;
