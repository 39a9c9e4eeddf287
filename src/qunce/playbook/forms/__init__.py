"""Forms made from the schema: what can be filled in (`fields`), what was sent (`posted`), what is shown (`view`)."""
