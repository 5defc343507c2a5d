// What a dispatcher needs for detached jobs.
@testable import DokkuDaemon

struct DetachedParts {
    let archive: Archive
    let followers = Followers()
    let detacher: Detacher
    let answers: JobAnswers

    init(_ executor: Executor, _ folder: String, _ loop: EventLoop) {
        archive = Archive(
            folder: folder, limits: Archive.Limits(keep: .seconds(60), jobs: 10, bytes: 1 << 20),
            timers: loop.timers
        ) { _ in }
        let turns = Turns(timers: loop.timers)
        detacher = Detacher(executor: executor, archive: archive, followers: followers, turns: turns)
        answers = JobAnswers(executor: executor, archive: archive, followers: followers, turns: turns)
    }
}
