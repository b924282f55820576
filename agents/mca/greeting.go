package main

// greeting is the text of GET /. It has its own file, because the end-to-end
// test edits it to see a new image digest roll out.
const greeting = "MCA coordinates the agents"
