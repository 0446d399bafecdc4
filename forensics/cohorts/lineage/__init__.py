"""Who descends from whom: models' facts, and the relations and hypotheses they imply."""
