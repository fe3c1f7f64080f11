-- A trade between two of our own orders has one id and is a fill of both, so each side of it is counted once. Reports
-- from before have no side here (it stands in their bytes); the ledger, which is rebuilt from those, knows it.

ALTER TABLE reports ADD COLUMN side text;
DROP INDEX reports_trade;
CREATE UNIQUE INDEX reports_trade ON reports (instrument, trade_id, side) WHERE trade_id IS NOT NULL;
