"""Making a plan: read a file, judge every row, look at the ledger, write the document."""
