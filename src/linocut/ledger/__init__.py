"""The ledger: what work costs, who pays, and what may be spent. Money moves in the transaction of what it pays for."""
