-- What Grafana, Metabase and the like may read: views with documented columns, and a role that sees nothing else.
-- Run as often as wanted; columns may be added at the end of a view, never renamed, moved or dropped. Minutes and
-- kopecks are whole; hours are decimal, for people. "Now" is the database's clock.

CREATE SCHEMA IF NOT EXISTS reporting;
COMMENT ON SCHEMA reporting IS 'Read-only views for dashboards. Role: hourbook_reader. Days and months are those of Europe/Moscow.';

CREATE OR REPLACE VIEW reporting.accounts AS
SELECT account_id,
       (array_agg(customer_name ORDER BY effective_on DESC, position DESC)
        FILTER (WHERE customer_name IS NOT NULL))[1] AS customer_name,
       (array_agg(contract_number ORDER BY effective_on DESC, position DESC)
        FILTER (WHERE contract_number IS NOT NULL))[1] AS contract_number,
       (array_agg(contract_date ORDER BY effective_on DESC, position DESC)
        FILTER (WHERE contract_date IS NOT NULL))[1] AS contract_date
FROM projections.report_customer GROUP BY account_id;
COMMENT ON VIEW reporting.accounts IS 'One row a customer contract.';
COMMENT ON COLUMN reporting.accounts.account_id IS 'The account''s id, as in every other view.';
COMMENT ON COLUMN reporting.accounts.customer_name IS 'The customer''s name in force now.';
COMMENT ON COLUMN reporting.accounts.contract_number IS 'The contract''s number in force now.';
COMMENT ON COLUMN reporting.accounts.contract_date IS 'The contract''s date in force now.';

CREATE OR REPLACE VIEW reporting.balances AS
SELECT account.account_id, account.customer_name, alive.held_minutes, account.owed_minutes,
       alive.held_minutes - account.owed_minutes AS balance_minutes,
       round((alive.held_minutes - account.owed_minutes) / 60.0, 2) AS balance_hours,
       alive.held_kopecks, alive.next_expiry_at, account.suspended, account.planned_minutes,
       alive.held_minutes - account.owed_minutes - account.planned_minutes AS available_minutes
FROM projections.account
CROSS JOIN LATERAL (
    SELECT coalesce(sum(remaining_minutes), 0)::bigint AS held_minutes,
           coalesce(sum(unbooked_kopecks), 0)::bigint AS held_kopecks,
           min(ends_at) AS next_expiry_at
    FROM projections.lot
    WHERE lot.account_id = account.account_id AND remaining_minutes > 0 AND ends_at > now()
) AS alive;
COMMENT ON VIEW reporting.balances IS 'One row an account: what it holds and owes now (rule 4.2).';
COMMENT ON COLUMN reporting.balances.account_id IS 'The account''s id.';
COMMENT ON COLUMN reporting.balances.customer_name IS 'The customer''s name in force now.';
COMMENT ON COLUMN reporting.balances.held_minutes IS 'Minutes left in lots that have not ended.';
COMMENT ON COLUMN reporting.balances.owed_minutes IS 'Minutes of closed tasks that no hours and no money have paid yet.';
COMMENT ON COLUMN reporting.balances.balance_minutes IS 'Minutes: held less owed; negative is debt.';
COMMENT ON COLUMN reporting.balances.balance_hours IS 'The same in decimal hours, two digits.';
COMMENT ON COLUMN reporting.balances.held_kopecks IS 'Kopecks paid for the minutes held.';
COMMENT ON COLUMN reporting.balances.next_expiry_at IS 'When the first of the hours held will be gone, successors counted; empty without hours.';
COMMENT ON COLUMN reporting.balances.suspended IS 'Whether the seller has suspended work.';
COMMENT ON COLUMN reporting.balances.planned_minutes IS 'Minutes planned: estimates × K of tasks that are not closed (rule 15.2).';
COMMENT ON COLUMN reporting.balances.available_minutes IS 'Minutes: the balance less what is planned.';

CREATE OR REPLACE VIEW reporting.lots AS
SELECT account_id, lot_id, plan, starts_at, ends_at, ends_at > now() AS alive, size_minutes, remaining_minutes,
       price_kopecks, unbooked_kopecks AS remaining_kopecks, agreed::json ->> 'reason' AS agreed_reason
FROM projections.lot;
COMMENT ON VIEW reporting.lots IS 'One row a lot: the hours of a package bought, or of a compensation.';
COMMENT ON COLUMN reporting.lots.account_id IS 'The account''s id.';
COMMENT ON COLUMN reporting.lots.lot_id IS 'The id of the package that the lot was bought with, or of the compensation.';
COMMENT ON COLUMN reporting.lots.plan IS 'The plan, such as hours-20; empty for a compensation.';
COMMENT ON COLUMN reporting.lots.starts_at IS 'From when on its hours can be drawn.';
COMMENT ON COLUMN reporting.lots.ends_at IS 'When its hours are gone, in the hands of the last successor known.';
COMMENT ON COLUMN reporting.lots.alive IS 'Whether it has not ended yet.';
COMMENT ON COLUMN reporting.lots.size_minutes IS 'Minutes bought.';
COMMENT ON COLUMN reporting.lots.remaining_minutes IS 'Minutes not drawn; of a lot that has ended, those forfeited.';
COMMENT ON COLUMN reporting.lots.price_kopecks IS 'Kopecks paid for the whole lot.';
COMMENT ON COLUMN reporting.lots.remaining_kopecks IS 'Kopecks of the minutes that remain (rule 4.4).';
COMMENT ON COLUMN reporting.lots.agreed_reason IS 'Why size, price or end were agreed for this purchase alone; empty where they are the plan''s (rule 3.3).';

CREATE OR REPLACE VIEW reporting.task_charges AS
SELECT entry.account_id, entry.booking_month, entry.task_id, entry.closure, closing.title, closing.category,
       closing.coefficient::numeric AS coefficient, closing.effective_at,
       sum(entry.worked_minutes)::bigint AS worked_minutes, sum(entry.charged_minutes)::bigint AS charged_minutes,
       sum(entry.amount_kopecks)::bigint AS amount_kopecks, closing.work AS kind, closing.estimated_minutes
FROM projections.report_entry AS entry
JOIN projections.report_closing AS closing USING (account_id, task_id, closure)
GROUP BY entry.account_id, entry.booking_month, entry.task_id, entry.closure, closing.title, closing.category,
         closing.coefficient, closing.effective_at, closing.work, closing.estimated_minutes;
COMMENT ON VIEW reporting.task_charges IS 'One row a closing and month: a line of the monthly report (rule 10.3). A closing''s rows add up to what it costs now.';
COMMENT ON COLUMN reporting.task_charges.account_id IS 'The account''s id.';
COMMENT ON COLUMN reporting.task_charges.booking_month IS 'The month in whose report the line stands, such as 2026-03.';
COMMENT ON COLUMN reporting.task_charges.task_id IS 'The task''s id.';
COMMENT ON COLUMN reporting.task_charges.closure IS 'Which closing of the task: 1, 2, …';
COMMENT ON COLUMN reporting.task_charges.title IS 'The task''s title at that closing.';
COMMENT ON COLUMN reporting.task_charges.category IS 'regular, urgent, off_hours, urgent_off_hours or warranty.';
COMMENT ON COLUMN reporting.task_charges.coefficient IS 'K: charged is worked × K.';
COMMENT ON COLUMN reporting.task_charges.effective_at IS 'When the closing counts.';
COMMENT ON COLUMN reporting.task_charges.worked_minutes IS 'Minutes worked, booked in the month; negative where taken back.';
COMMENT ON COLUMN reporting.task_charges.charged_minutes IS 'Minutes charged, booked in the month; negative where taken back.';
COMMENT ON COLUMN reporting.task_charges.kind IS 'What was done: work, or specification.';
COMMENT ON COLUMN reporting.task_charges.estimated_minutes IS 'Minutes that the task was expected to take; empty where it was not planned.';
COMMENT ON COLUMN reporting.task_charges.amount_kopecks IS 'Kopecks of draws, settlements and payments, less what was given back.';

CREATE OR REPLACE VIEW reporting.account_months AS
SELECT account_id, booking_month,
       coalesce(sum(minutes) FILTER (WHERE kind = 'purchased'), 0)::bigint AS sold_minutes,
       sum(charged_minutes)::bigint AS used_minutes,
       coalesce(sum(minutes) FILTER (WHERE kind IN ('carried', 'reclaimed')), 0)::bigint AS carried_over_minutes,
       coalesce(sum(minutes) FILTER (WHERE kind = 'forfeited'), 0)::bigint AS forfeited_minutes,
       coalesce(sum(minutes) FILTER (WHERE kind = 'compensated'), 0)::bigint AS compensated_minutes,
       coalesce(sum(minutes) FILTER (WHERE kind = 'settled'), 0)::bigint AS settled_minutes,
       coalesce(sum(minutes) FILTER (WHERE kind = 'paid'), 0)::bigint AS paid_minutes,
       coalesce(sum(amount_kopecks) FILTER (WHERE task_id IS NOT NULL), 0)::bigint AS used_kopecks,
       (sum(sum(balance_minutes)) OVER (PARTITION BY account_id ORDER BY booking_month))::bigint
           AS closing_balance_minutes,
       coalesce(sum(minutes) FILTER (WHERE kind = 'refunded'), 0)::bigint AS refunded_minutes,
       coalesce(sum(amount_kopecks) FILTER (WHERE kind = 'refunded'), 0)::bigint AS refunded_kopecks,
       coalesce(sum(amount_kopecks) FILTER (WHERE kind = 'retained'), 0)::bigint AS retained_kopecks
FROM projections.report_entry GROUP BY account_id, booking_month;
COMMENT ON VIEW reporting.account_months IS 'One row an account and month in which something was booked: the totals of its report.';
COMMENT ON COLUMN reporting.account_months.account_id IS 'The account''s id.';
COMMENT ON COLUMN reporting.account_months.booking_month IS 'The month, such as 2026-03.';
COMMENT ON COLUMN reporting.account_months.sold_minutes IS 'Minutes of packages bought.';
COMMENT ON COLUMN reporting.account_months.used_minutes IS 'Minutes charged for tasks, less those taken back.';
COMMENT ON COLUMN reporting.account_months.carried_over_minutes IS 'Minutes that moved to a successor.';
COMMENT ON COLUMN reporting.account_months.forfeited_minutes IS 'Minutes lost with a package''s end, less those a late fact gave back.';
COMMENT ON COLUMN reporting.account_months.compensated_minutes IS 'Minutes given as compensation, contained in what was taken back.';
COMMENT ON COLUMN reporting.account_months.settled_minutes IS 'Minutes of debt paid by hours.';
COMMENT ON COLUMN reporting.account_months.paid_minutes IS 'Minutes of debt paid with money.';
COMMENT ON COLUMN reporting.account_months.used_kopecks IS 'Kopecks of the month''s report and act.';
COMMENT ON COLUMN reporting.account_months.refunded_minutes IS 'Minutes left in lots for which money was given back (rule 14).';
COMMENT ON COLUMN reporting.account_months.refunded_kopecks IS 'Kopecks given back for them.';
COMMENT ON COLUMN reporting.account_months.retained_kopecks IS 'Kopecks of them that the seller kept.';
COMMENT ON COLUMN reporting.account_months.closing_balance_minutes IS 'Minutes: the report''s closing balance.';

CREATE OR REPLACE VIEW reporting.monthly_totals AS
SELECT month AS booking_month, kind, minutes, round(minutes / 60.0, 2) AS hours, amount_kopecks,
       charged_minutes, balance_minutes
FROM projections.report_total;
COMMENT ON VIEW reporting.monthly_totals IS 'One row a month and kind of booking, over all accounts.';
COMMENT ON COLUMN reporting.monthly_totals.booking_month IS 'The month, such as 2026-03.';
COMMENT ON COLUMN reporting.monthly_totals.kind IS 'worked, drawn, owed, returned, cancelled, settled, paid, purchased, compensated, carried, reclaimed, forfeited, handed_over, taken_over, refunded or retained.';
COMMENT ON COLUMN reporting.monthly_totals.minutes IS 'Minutes that moved, in the direction that the kind names; none for worked.';
COMMENT ON COLUMN reporting.monthly_totals.hours IS 'The same in decimal hours, two digits.';
COMMENT ON COLUMN reporting.monthly_totals.amount_kopecks IS 'Kopecks; negative where closings were given money back (returned, compensated).';
COMMENT ON COLUMN reporting.monthly_totals.charged_minutes IS 'Minutes charged less taken back; only for worked.';
COMMENT ON COLUMN reporting.monthly_totals.balance_minutes IS 'Minutes by which the balances grew.';

CREATE OR REPLACE VIEW reporting.debts AS
SELECT account_id, account.customer_name, debt.task_id, debt.closure, closing.title, closing.effective_at AS owed_since,
       debt.owed_minutes, round(debt.owed_minutes / 60.0, 2) AS owed_hours
FROM projections.account
CROSS JOIN LATERAL (
    -- What a closing that was corrected owes is owed by the one in its place.
    SELECT task_id, max(closure) AS closure,
           sum(CASE kind WHEN 'owed' THEN minutes WHEN 'settled' THEN -minutes WHEN 'paid' THEN -minutes
                         WHEN 'cancelled' THEN -minutes END)::bigint AS owed_minutes
    FROM projections.report_entry
    WHERE report_entry.account_id = account.account_id AND task_id IS NOT NULL
    GROUP BY task_id
) AS debt
JOIN projections.report_closing AS closing USING (account_id, task_id, closure)
WHERE account.owed_minutes > 0 AND debt.owed_minutes > 0;
COMMENT ON VIEW reporting.debts IS 'One row a closing that still owes minutes (rule 4.3).';
COMMENT ON COLUMN reporting.debts.account_id IS 'The account''s id.';
COMMENT ON COLUMN reporting.debts.customer_name IS 'The customer''s name in force now.';
COMMENT ON COLUMN reporting.debts.task_id IS 'The task''s id.';
COMMENT ON COLUMN reporting.debts.closure IS 'Which closing of the task: 1, 2, …';
COMMENT ON COLUMN reporting.debts.title IS 'The task''s title at that closing.';
COMMENT ON COLUMN reporting.debts.owed_since IS 'When the closing counts; the oldest debt is paid first.';
COMMENT ON COLUMN reporting.debts.owed_minutes IS 'Minutes still owed.';
COMMENT ON COLUMN reporting.debts.owed_hours IS 'The same in decimal hours, two digits.';

GRANT USAGE ON SCHEMA reporting TO hourbook_reader, hourbook_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO hourbook_reader, hourbook_auditor;
