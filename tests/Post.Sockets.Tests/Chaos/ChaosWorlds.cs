using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Chaos;

/// <summary>
/// Random worlds: what they are made of, each from its seed; which of them run (CONTRIBUTING.md); and how the objects in them ended.
/// </summary>
internal sealed class ChaosWorlds(TestContext context)
{
    // Fewer show too little of what can happen for a count over all of them to mean anything.
    private const int Enough = 100;

    private readonly Dictionary<(ObjectOutcome End, ObjectOutcomeReason Reason), int> _ends = [];

    /// <summary>Worlds that ran.</summary>
    public int Count { get; private set; }

    /// <summary>So many ran that all that can happen should have happened in one of them.</summary>
    public bool AreEnough => Count >= Enough;

    /// <summary>Runs the worlds of as many seeds as usual, and of those that failed once.</summary>
    public void Run(int usual, IEnumerable<int> kept, Action<int> world)
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS"), out var wished) ? wished : usual;
        int[] seeds = int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_SEED"), out var only) ? [only] : [.. Enumerable.Range(0, count), .. kept];
        foreach (var seed in seeds)
        {
            try
            {
                world(seed);
            }
            catch (Exception exception)
            {
                throw new AssertFailedException($"POST_QUIC_SEED={seed}: {exception.Message}", exception);
            }
        }

        Count += seeds.Length;
        foreach (var (end, times) in _ends.OrderBy(pair => pair.Key.ToString()))
        {
            context.WriteLine($"{end}: {times}");
        }
    }

    /// <summary>An object ended.</summary>
    public void OnEnded(Receipt receipt) =>
        _ends[(receipt.Outcome, receipt.Reason)] = _ends.GetValueOrDefault((receipt.Outcome, receipt.Reason)) + 1;

    /// <summary>A world in which nothing ever goes wrong would show nothing: in so many, objects must have ended in every way.</summary>
    public void AssertAllEnds(params ObjectOutcomeReason[] reasons)
    {
        if (AreEnough)
        {
            CollectionAssert.AreEquivalent(Enum.GetValues<ObjectOutcome>(), _ends.Keys.Select(key => key.End).Distinct().ToArray());
            CollectionAssert.IsSubsetOf(reasons, _ends.Keys.Select(key => key.Reason).ToArray());
        }
    }

    /// <summary>What the transport can do: now and then something less.</summary>
    public static TransportCapabilities Capabilities(Random random)
    {
        var capabilities = InMemoryNetwork.DefaultCapabilities;
        foreach (var optional in new[]
        {
            TransportCapabilities.Datagrams, TransportCapabilities.Priorities, TransportCapabilities.WritesCompleteWhenSent,
            TransportCapabilities.Statistics, TransportCapabilities.ReliableReset, TransportCapabilities.WholeStreams,
        })
        {
            capabilities &= random.Next(4) == 0 ? ~optional : ~TransportCapabilities.None;
        }

        return capabilities;
    }

    /// <summary>A link, slow or fast, near or far, good or bad.</summary>
    public static InMemoryLinkOptions Link(Random random, int slowest, int farthest, double worst) => new()
    {
        BitsPerSecond = random.Next(slowest, 20_000_000),
        Delay = TimeSpan.FromMilliseconds(random.Next(1, farthest)),
        Jitter = TimeSpan.FromMilliseconds(random.Next(20)),
        Loss = random.Next(3) == 0 ? 0 : random.NextDouble() * worst,
        Reorder = random.NextDouble() * 0.2,
    };

    /// <summary>One side's habits, and bounds that are tight enough to be met.</summary>
    public static AssociationOptions Options(Random random) => new()
    {
        Incremental = (IncrementalDelivery)random.Next(3),
        MaxWholeObjectSize = 60_000,
        ReceiveBudget = 400_000,
        ReceiptLevel = (ReceiptLevel)random.Next(2),
        HandlerConcurrency = random.Next(1, 4),
        MaxWaitingObjects = random.Next(5, 100),
        DrainTimeout = TimeSpan.FromMinutes(5),
    };
}
