"""The connector to a Bitrix24 portal: reads tasks, judges which count, and says where portal and ledger differ."""
