using System.Runtime.CompilerServices;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>
/// A hard world is one test run over many seeds, in virtual time. Whatever goes wrong in one of them fails the test with
/// the line that runs this seed alone.
/// </summary>
internal static class World
{
    /// <summary>At least so many; POST_QUIC_WORLDS asks for more.</summary>
    public const int Count = 200;

    /// <summary>The code of the application's own close.</summary>
    public const ulong Done = 7;

    private const long LongestEnd = 1_300_000_000;

    /// <summary>Sides that wait for as long as a world is dark.</summary>
    public static ConnectionSettings Patient { get; } = ConnectionSettings.Default with
    {
        HandshakeTimeout = 600_000_000,
        MaxIdleTimeout = 600_000_000,
    };

    public static void Run(Action<ulong> world, [CallerMemberName] string test = "")
    {
        foreach (ulong seed in Seeds.Of(Count))
        {
            try
            {
                world(seed);
            }
            catch (Exception failure)
            {
                throw new AssertFailedException(
                    $"{failure.Message}\nseed {seed}; to repeat it alone: POST_QUIC_SEED={seed} dotnet test "
                    + $"--project tests/Post.Quic.Engine.Tests --filter \"FullyQualifiedName~{test}\"",
                    failure);
            }
        }
    }

    /// <summary>A pair whose handshake went well; what comes after is the point.</summary>
    public static Pair Connected(ulong seed, ConnectionSettings? settings = null, long start = 1_000_000_000)
    {
        ConnectionSettings both = settings ?? Patient;
        var pair = new Pair(new PairOptions { Seed = seed, Client = both, Server = both, StandInTls = true, Start = start });
        return pair.Handshake();
    }

    /// <summary>Bytes go to the server and come back.</summary>
    public static void Exchange(Pair pair, int count, long timeout, Action? meanwhile = null)
    {
        byte[] data = pair.RandomBytes(count);
        ulong id = Begin(pair, data);
        meanwhile?.Invoke();
        Finish(pair, id, data, timeout);
    }

    /// <summary>Waits for the end of an exchange and judges it.</summary>
    public static void Finish(Pair pair, ulong id, byte[] data, long timeout)
    {
        long end = pair.Now + timeout;
        pair.RunUntil(() => IsBack(pair, id) || pair.Now > end - (timeout / 100), timeout, $"exchange of {data.Length} bytes");
        Check(pair, id, data);
    }

    /// <summary>Begins an exchange.</summary>
    public static ulong Begin(Pair pair, byte[] data)
    {
        pair.Server.Echo = true;
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream), "no credit for a stream");
        stream.WriteAll(data);
        stream.Finish();
        return stream.Id;
    }

    public static bool IsBack(Pair pair, ulong id) =>
        pair.Client.EndedStreams.Contains(id) || pair.Client.Closed is not null || pair.Server.Closed is not null;

    public static void Check(Pair pair, ulong id, byte[] data)
    {
        Assert.IsTrue(IsBack(pair, id), $"not finished in time; {Describe(pair.Client)}; {Describe(pair.Server)}");
        Assert.IsNull(pair.Client.Closed, $"client {pair.Client.Closed}");
        Assert.IsNull(pair.Server.Closed, $"server {pair.Server.Closed}");
        CheckBytes(pair.Server, id, data);
        CheckBytes(pair.Client, id, data);
    }

    /// <summary>The client closes: both sides end, without timers and without memory, for an allowed reason.</summary>
    public static void End(Pair pair)
    {
        pair.Client.Core!.Close(Done, "done", pair.Now);
        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, LongestEnd, "end");
        ConnectionCloseInfo client = pair.Client.Closed!.Value;
        ConnectionCloseInfo server = pair.Server.Closed!.Value;
        Assert.AreEqual((CloseSource.Local, true, Done), (client.Source, client.IsApplication, client.ErrorCode));
        Assert.IsTrue(
            server.Source == CloseSource.IdleTimeout
                || (server.Source == CloseSource.Peer && server.IsApplication && server.ErrorCode == Done),
            $"the server ended with {server}");
        CheckEnded(pair.Client);
        CheckEnded(pair.Server);
    }

    private static void CheckBytes(SimulatedSide side, ulong id, byte[] expected)
    {
        byte[] actual = side.Received(id);
        int same = expected.AsSpan().CommonPrefixLength(actual);
        Assert.IsTrue(
            same == expected.Length && same == actual.Length,
            $"{side.Name} read {actual.Length} bytes of {expected.Length} on stream {id}, the first {same} as they were sent");
    }

    /// <summary>What to know of a side that is stuck.</summary>
    public static string Describe(SimulatedSide side)
    {
        ConnectionCore core = side.Core!;
        IEnumerable<string> seen = core.GetPaths().Select(path =>
            $"{path.PathId} {path.State} {path.Local}-{path.Remote}{(path.IsActive ? " active" : "")}{(path.IsValidated ? " validated" : "")} "
            + $"mtu {path.Mtu} window {path.CongestionWindow} in flight {path.BytesInFlight} lost {path.PacketsLost}");
        return $"{side.Name} {core.Phase} read {side.BytesRead}, probes {core.GetStatistics().ProbeTimeouts}, "
            + $"next at {core.NextTimeout - core.State.Now}, paths: {string.Join(", ", seen)}";
    }

    public static void CheckEnded(SimulatedSide side)
    {
        Assert.AreEqual(long.MaxValue, side.Core!.NextTimeout, $"{side.Name} still has a timer");
        Assert.AreEqual(0L, side.Core.State.Pool.RentedBytes, $"{side.Name} still holds memory of streams");
        Assert.IsEmpty(side.Ids, $"{side.Name} still has ids");
        Assert.IsEmpty(side.PeerTokens, $"{side.Name} still has reset tokens of its peer");
    }
}
