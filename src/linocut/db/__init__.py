"""The database: every table on one page, transactions, migrations. No room's rules live here."""
