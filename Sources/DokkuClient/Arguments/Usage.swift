// What `--help` and `--version` print.

enum Usage {
    static let text = """
        usage: dokku-client [OPTION]... COMMAND [WORD]...

        Runs a dokku command through the socket of dokku-daemon. Output, input and exit status are the command's own.
        Called as `dokku`, it has no options: all words are dokku's.

          -S, --socket PATH  the daemon's socket (DOKKU_SOCK_PATH)
          -H, --host HOST    run it on another machine, as in ssh://root@example.com; may be repeated (DOKKU_HOST)
          -d, --detach       print the number of the job and leave; daemon:wait NUMBER comes back to it
              --timeout N    end the command after N seconds
              --stdin        pass standard input on, also to a command that is not known to read it
              --json         show what the daemon itself tells as JSON
          -q, --quiet        show the command's output alone
              --until-unread end the command when nobody reads its output any more; -H passes it along
          -h, --help         show this help
          -V, --version      show the version
              --             end the options

        dokku's own flags --app NAME, --force, --trace, --rm and --rm-container may stand there, too.

        examples:
          dokku-client apps:list
          dokku-client postgres:export db >db.dump
          dokku-client daemon:queue

        exit status: the command's; 128 + n if signal n ended it; 64 wrong command; 69 no daemon; 74 input or output
        failed; 75 try again; 77 denied
        """
}
