"""An independent caseworker's client: matrix-js-sdk and its Rust crypto, the parts that Element is made of.

`client.mjs` runs in Node and speaks JSON lines; `js_person` drives it from Python with the methods of
`deploy.demo.person.Person`, so that one test can be played by either.
"""
