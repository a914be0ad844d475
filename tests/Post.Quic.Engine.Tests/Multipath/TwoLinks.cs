using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>A client with two links and a connection over both.</summary>
internal sealed class TwoLinks : IDisposable
{
    public const long Megabit = 125_000;

    public static readonly NetworkAddress SecondAddress = NetworkAddress.FromIPv4(0x0a000102, 50001);

    /// <param name="seed">What all chance follows from.</param>
    /// <param name="first">The link of the first path.</param>
    /// <param name="second">That of the second; null where there is to be one path only.</param>
    /// <param name="settings">Of both ends.</param>
    public TwoLinks(ulong seed, LinkConditions first, LinkConditions? second, ConnectionSettings? settings = null)
    {
        settings ??= ConnectionSettings.Default;
        settings = settings with { MaxPaths = 4 };
        Pair = new Pair(new PairOptions { Seed = seed, Client = settings, Server = settings, StandInTls = true });
        First = Pair.Network.AddLink(Pair.Client.Address, first);
        Second = Pair.Network.AddLink(SecondAddress, second ?? first);
        _ = Pair.Handshake();
        Pair.RunFor(500_000);
        if (second is not null)
        {
            SecondPath = Open(SecondAddress);
        }
    }

    public Pair Pair { get; }

    public SimulatedLink First { get; }

    public SimulatedLink Second { get; }

    public uint SecondPath { get; }

    /// <summary>A link as a provider sells it: a rate, and a queue of a tenth of a second.</summary>
    public static LinkConditions Link(long megabits, long roundTripMilliseconds) => new()
    {
        Bandwidth = megabits * Megabit,
        Delay = roundTripMilliseconds * 500,
        QueueBytes = (int)(megabits * Megabit / 10),
    };

    public uint Open(NetworkAddress local)
    {
        Assert.AreEqual(PathOpening.Begun, Pair.Client.Core!.TryOpenPath(local, default, Pair.Now, out uint id), Pair.Repeat);
        Pair.RunUntil(
            () => Pair.Client.Core.State.Paths.Find(id) is { IsUsable: true } && Pair.Server.Core!.State.Paths.Find(id) is { IsUsable: true },
            5_000_000,
            "a path");
        return id;
    }

    /// <summary>Sends bytes on a new stream; returns how long it takes until the server has read them all.</summary>
    public long Transfer(int bytes)
    {
        long begin = Pair.Now;
        _ = Pair.Transfer(Pair.Client, Pair.Server, Pair.RandomBytes(bytes), 600_000_000);
        return Pair.Now - begin;
    }

    /// <summary>Begins a stream with that data and its end.</summary>
    public ulong Begin(byte[] data, SendUrgency? urgency = null)
    {
        Assert.IsTrue(Pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream), Pair.Repeat);
        if (urgency is { } value)
        {
            stream!.SetUrgency(value);
        }

        stream.WriteAll(data);
        stream.Finish();
        return stream.Id;
    }

    /// <summary>The same, bound to paths.</summary>
    public ulong Begin(byte[] data, PathSet paths, int copies = 1, int urgency = 0, long deadline = long.MaxValue) =>
        Open(data, paths, copies, urgency, deadline).Id;

    public StreamState Open(byte[] data, PathSet paths, int copies = 1, int urgency = 0, long deadline = long.MaxValue)
    {
        Assert.IsTrue(Pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream), Pair.Repeat);
        stream!.SetUrgency(new SendUrgency(urgency, deadline));
        stream.SetPaths(paths, copies);
        stream.WriteAll(data);
        stream.Finish();
        return stream;
    }

    public void Dispose() => Pair.Dispose();
}
