package main

// greeting is the text of GET /. The end-to-end test edits this file to make a new
// image, and checks that the new image is deployed. So greeting is in its own file.
const greeting = "MCA coordinates the agents"
