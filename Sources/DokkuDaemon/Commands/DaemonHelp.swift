// What `daemon:help` answers.

enum DaemonHelp {
    static let help = """
        Commands that the daemon answers itself:
            commands             the names that dokku's help lists, one a line
            refresh              read dokku's commands anew
            daemon:version       the daemon's version
            daemon:status        since when it runs, its connections, commands, queue and catalogue
            daemon:queue         the running and the waiting commands, a job a line, its number first
            daemon:cancel N      end job N, or take it out of the queue
            daemon:help          this list
        Any other command is dokku's: see `help`.
        """
}
