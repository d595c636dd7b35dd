"""The screen of Sanylau: it shows a run and passes on what the person wants. It imports `client` only.

`state` holds what is known (no Textual in it), `intake` reads what the person gives, `app` owns the run,
`screens` show and ask, `widgets` draw. Text from outside passes `printable()` and is never read as markup.
"""
