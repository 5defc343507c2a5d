// What a dispatcher needs for detached jobs.
@testable import DokkuDaemon

struct DetachedParts {
    let archive: Archive
    let followers = Followers()
    let detacher: Detacher
    let answers: JobAnswers

    init(
        _ executor: Executor, _ folder: String, _ loop: EventLoop, numbers: JobNumbers = JobNumbers()
    ) {
        let turns = Turns(timers: loop.timers)
        archive = Archive(
            folder: folder, limits: KeepLimits(keep: .seconds(60), jobs: 10, bytes: 1 << 20),
            numbers: numbers, timers: loop.timers, turns: turns
        ) { _ in }
        archive.start()
        detacher = Detacher(
            executor: executor, archive: archive, followers: followers, turns: turns,
            words: Budget(limit: 1 << 20))
        answers = JobAnswers(executor: executor, archive: archive, followers: followers, turns: turns)
    }
}
