package main

// greeting is the line that GET / shows. It has a file of its own because the
// end-to-end test changes it to see a new digest roll out.
const greeting = "MCA coordinates the agents"
