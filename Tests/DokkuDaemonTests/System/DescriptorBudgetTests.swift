// However few descriptors there are, and whatever the settings, a command finds those that it needs.
import Testing

@testable import DokkuDaemon

@Suite struct DescriptorBudgetTests {
    @Test(arguments: [24, 48, 64, 256, 1024, 4096, 6000, 8192, 65536], [1, 16, 1000, 10_000])
    func `the limits together leave the reserve`(limit: Int, connections: Int) {
        let budget = DescriptorBudget(limit: limit, connections: connections, besideQueue: 48)
        let files = budget.firstFiles + budget.spoolFiles
        let others = budget.leftOverPipes + budget.passed
        #expect(budget.connections + files + others <= budget.connectionEnd)
        #expect(budget.connectionEnd < limit)
        #expect(budget.connections > 0 && files > 1 && budget.leftOverPipes > 0)
        #expect(budget.connections <= connections && budget.firstFiles <= budget.connections)
    }

    @Test func `idle connections do not wait for files that they may never need`() {
        let budget = DescriptorBudget(limit: 20_000, connections: 10_000, besideQueue: 48)
        #expect(budget.connections == 10_000)
        #expect(budget.firstFiles > 4000)
    }

    @Test(arguments: [1, 1000, 10_000])
    func `the limit that is asked for leaves nothing short`(connections: Int) {
        let wanted = DescriptorBudget.wanted(connections: connections, besideQueue: 48)
        let budget = DescriptorBudget(limit: wanted, connections: connections, besideQueue: 48)
        #expect(budget.connections == connections)
        #expect(budget.firstFiles == connections)
        #expect(budget.spoolFiles == DescriptorBudget.usualSpoolFiles)
        #expect(budget.leftOverPipes == DescriptorBudget.usualLeftOverPipes)
        #expect(budget.passed == DescriptorBudget.usualPassed)
    }
}
