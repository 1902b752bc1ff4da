"""Where the portals that work comes from differ from the ledger, and how they are, as their connectors say."""
