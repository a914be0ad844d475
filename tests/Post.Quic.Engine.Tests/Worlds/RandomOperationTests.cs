using CsCheck;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>
/// Any sequence of operations on both ends, over a network that changes. Whatever it was: nothing throws, memory stays
/// bounded, errors are those that the operations ask for, what must arrive arrives intact, and then there is silence. A
/// failing sequence is shrunk, and printed with the seed that repeats it.
/// </summary>
[TestClass]
public sealed class RandomOperationTests
{
    private const int Sequences = 250;
    private const long Second = 1_000_000;

    [TestMethod]
    public void Any_operations_end_in_silence_with_all_bytes_intact() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 9999], Gen.Int[0, 9])
            .Array[1, 80]
            .SampleSeeded(steps => Run(steps, paths: 1), Sequences, Print);

    /// <summary>The same while paths are opened, given up, kept back, moved, and their links die and come back.</summary>
    [TestMethod]
    public void Any_operations_on_several_paths_end_in_silence_with_all_bytes_intact() =>
        Gen.Select(Gen.Int[0, 149], Gen.Int[0, 9999], Gen.Int[0, 9])
            .Array[1, 80]
            .SampleSeeded(steps => Run(steps, paths: 4), Sequences, Print);

    /// <summary>
    /// What a silent path held stayed with it when another path could carry it again not because it was new, but because its move was
    /// validated.
    /// </summary>
    [TestMethod]
    [DataRow(
        "(141,5896,9) (65,8600,7) (69,1370,9) (103,9086,6) (57,6057,6) (140,6653,9) (68,3983,9) (46,2825,4) (23,5383,4) "
        + "(48,222,5) (105,4840,9) (7,9728,8) (57,5072,0) (56,6335,5) (109,6050,7) (126,4049,9) (98,2460,5) (144,5980,5) "
        + "(18,1482,5) (86,514,1) (56,6714,3) (70,3772,2) (139,1497,5) (29,8556,4) (119,8917,8) (90,1397,7) (87,3262,0) "
        + "(89,1890,4) (107,3089,0) (138,7365,9) (130,7353,9) (0,4841,2) (53,9387,4) (2,4227,8) (103,9434,9) (134,8570,2) "
        + "(119,5716,7) (136,1011,1) (71,2349,3) (68,4965,0) (4,6889,1) (18,5421,3) (44,7606,7) (42,989,3) (18,2464,8) "
        + "(68,6113,7) (119,5571,9) (68,2361,6) (101,8534,0) (31,2501,1) (86,4634,5) (21,4942,7) (90,5159,9) (109,95,9) "
        + "(132,709,3) (0,229,4) (69,7133,2) (14,6699,4) (2,2890,7) (17,9776,7) (56,1451,5) (147,5464,9) (141,6467,9) "
        + "(78,6423,6) (11,3547,4) (69,6550,4) (36,8991,7) (67,7723,9) (85,5272,2) (131,8075,4) (62,8480,7) (26,7013,0) "
        + "(134,2188,3) (21,7813,9) (98,5526,4) (31,5944,8)")]
    public void Operations_that_once_left_data_with_a_silent_path(string steps) => Run(
        [.. steps.Split(' ').Select(static step => step.Trim('(', ')').Split(',').Select(int.Parse).ToArray()).Select(static step => (step[0], step[1], step[2]))],
        paths: 4);

    private static string Print((int Kind, int Amount, int Which)[] steps) =>
        string.Join(' ', steps.Select(step => $"({step.Kind},{step.Amount},{step.Which})"));

    private static void Run((int Kind, int Amount, int Which)[] steps, int paths)
    {
        ConnectionSettings settings = ConnectionSettings.Default with
        {
            MaxIdleTimeout = 120 * Second,
            KeepAliveInterval = Second,
            InitialMaxData = 60_000,
            InitialMaxStreamData = 30_000,
            MaxBidirectionalStreams = 10,
            MaxUnidirectionalStreams = 10,
            MaxPaths = paths,
        };
        using var pair = new Pair(new PairOptions { StandInTls = true, Client = settings, Server = settings });
        pair.Network.Conditions = new LinkConditions { Bandwidth = 1_000_000 };
        _ = pair.Handshake();
        var links = new RandomLinks(pair);
        var ends = new[] { new RandomEnd(pair.Client), new RandomEnd(pair.Server) };
        bool closed = false;
        foreach ((int kind, int amount, int which) in steps)
        {
            RandomEnd end = ends[which & 1];
            switch (kind)
            {
                case < 70:
                    end.Do(kind, amount, which, pair);
                    break;
                case < 73:
                    _ = end.Side.Core!.TryUpdateKeys(pair.Now);
                    break;
                case < 76:
                    _ = pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010000 + (uint)(amount % 3), 50_001), pair.Now);
                    break;
                case < 79:
                    pair.Network.Rebind(amount % 2 == 0 ? null : 0x0a000100u + (uint)amount);
                    break;
                case < 83:
                    pair.Network.Conditions = new LinkConditions
                    {
                        Bandwidth = 1_000_000,
                        Loss = amount % 30 / 100.0,
                        Reordering = amount % 7 / 20.0,
                        Duplication = amount % 5 / 20.0,
                    };
                    break;
                case 83:
                    pair.Network.Conditions = new LinkConditions { Loss = 1 };
                    break;
                case 84 when amount < 3000:
                    end.Side.Core!.Close(World.Done, "enough", pair.Now);
                    closed = true;
                    break;
                case >= 100:
                    links.Do(kind, amount, which, end.Side);
                    break;
                default:
                    pair.RunFor(amount * (which == 9 ? 100L : 10L));
                    break;
            }

            pair.Drive();
            AssertBounded(pair.Client, paths);
            AssertBounded(pair.Server, paths);
            if (closed)
            {
                break;
            }
        }

        links.Mend();
        Settle(pair, ends, closed);
    }

    private static void Settle(Pair pair, RandomEnd[] ends, bool closed)
    {
        pair.Network.Conditions = new LinkConditions();
        if (!closed)
        {
            foreach (RandomEnd end in ends)
            {
                end.FinishAll();
            }

            long late = pair.Now + (100 * Second);
            pair.RunUntil(
                () => ends.All(end => end.IsSettled)
                    || pair.Client.Closed is not null
                    || pair.Server.Closed is not null
                    || pair.Now >= late,
                200 * Second,
                "silence");
            Assert.IsLessThan(
                late,
                pair.Now,
                $"no silence: {ends[0].Unsettled}; {ends[1].Unsettled}; {World.Describe(pair.Client)}; {World.Describe(pair.Server)}");
            Assert.IsNull(pair.Client.Closed, $"client {pair.Client.Closed}");
            Assert.IsNull(pair.Server.Closed, $"server {pair.Server.Closed}");
            ends[0].CheckArrival(at: ends[1]);
            ends[1].CheckArrival(at: ends[0]);
            pair.Client.Core!.Close(World.Done, "done", pair.Now);
        }

        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 300 * Second, "end");
        foreach (RandomEnd end in ends)
        {
            ConnectionCloseInfo info = end.Side.Closed!.Value;
            Assert.IsTrue(
                (info.IsApplication && info.ErrorCode == World.Done) || info.Source == CloseSource.IdleTimeout,
                $"{end.Side.Name} ended with {info}");
            World.CheckEnded(end.Side);
            end.CheckPrefixes(end == ends[0] ? ends[1] : ends[0]);
        }
    }

    private static void AssertBounded(SimulatedSide side, int paths)
    {
        ConnectionState state = side.Core!.State;
        Assert.IsLessThan(8L << 20, state.Pool.RentedBytes, $"{side.Name} holds {state.Pool.RentedBytes} bytes");

        // As many again may have been asked back.
        Assert.IsLessThanOrEqualTo(2 * Limits.MaxActiveConnectionIds * paths, side.Ids.Count);
        Assert.IsLessThanOrEqualTo(paths, state.Paths.Known.Length);
    }

    /// <summary>Addresses of the client's, each with a link of its own, and what becomes of the paths over them.</summary>
    private sealed class RandomLinks
    {
        private readonly Pair _pair;
        private readonly NetworkAddress[] _addresses = new NetworkAddress[5];
        private readonly SimulatedLink[] _links = new SimulatedLink[5];

        public RandomLinks(Pair pair)
        {
            _pair = pair;
            for (int i = 0; i < _links.Length; i++)
            {
                _addresses[i] = i == 0 ? pair.Client.Address : NetworkAddress.FromIPv4(0x0a020000 + (uint)i, (ushort)(51_000 + i));
                _links[i] = pair.Network.AddLink(
                    _addresses[i], new LinkConditions { Bandwidth = 500_000 * (i + 1), Delay = 5_000 * (i + 1) });
            }
        }

        public void Do(int kind, int amount, int which, SimulatedSide side)
        {
            ConnectionCore core = side.Core!;
            int index = amount % _links.Length;
            ReadOnlySpan<Post.Quic.Engine.Paths.Path> open = core.State.Paths.Open;
            switch (kind)
            {
                case < 114:
                    _ = _pair.Client.Core!.TryOpenPath(_addresses[index], default, _pair.Now, out _);
                    break;
                case < 122 when Usable(_pair.Client) > 2 && Usable(_pair.Server) > 2:
                    // Or both ends could give up the last that the other counts on, which ends the connection.
                    _ = core.TryAbandonPath(open[amount % open.Length].Id, (ulong)which, _pair.Now);
                    break;
                case < 130 when open.Length != 0:
                    _ = core.TrySetBackup(open[amount % open.Length].Id, which % 2 == 0);
                    break;
                case < 138:
                    _links[index].IsDead = !_links[index].IsDead;
                    break;
                case < 144:
                    _pair.Network.Rebind(_addresses[index], which % 2 == 0 ? null : 0x0a000200u + (uint)amount);
                    break;
                case < 150 when _pair.Client.Core!.State.Paths.Open is { Length: > 0 } paths && !_pair.Client.Core.State.IsOver:
                    _ = paths[amount % paths.Length].Migration.TryMigrate(_addresses[index], _pair.Now, out _);
                    break;
            }
        }

        private static int Usable(SimulatedSide side) =>
            side.Core!.State.Paths.Open.ToArray().Count(static path => path.IsUsable);

        public void Mend()
        {
            foreach (SimulatedLink link in _links)
            {
                link.IsDead = false;
                link.Conditions = new LinkConditions();
            }
        }
    }

    /// <summary>One end's application: what it sent on each stream, and how it left it.</summary>
    private sealed class RandomEnd(SimulatedSide side)
    {
        private readonly List<Outgoing> _outgoing = [];
        private readonly Dictionary<ulong, byte[]> _datagrams = [];
        private readonly HashSet<ulong> _stopped = [];

        public SimulatedSide Side => side;

        private StreamTable Streams => side.Core!.Streams;

        /// <summary>What has not come to its end.</summary>
        public string Unsettled => $"{side.Name} "
            + string.Join(' ', _outgoing.Where(stream => !side.SettledStreams.Contains(stream.Id)).Select(stream => stream.Describe()))
            + string.Join(' ', _datagrams.Keys
                .Where(number => !side.DatagramStates.TryGetValue(number, out DatagramState state) || state < DatagramState.Acknowledged)
                .Select(number => $"datagram {number}"));

        public bool IsSettled => _outgoing.All(stream => side.SettledStreams.Contains(stream.Id))
            && _datagrams.Keys.All(number =>
                side.DatagramStates.TryGetValue(number, out DatagramState state) && state >= DatagramState.Acknowledged);

        public void Do(int kind, int amount, int which, Pair pair)
        {
            if (side.Core!.Phase >= ConnectionPhase.Closing)
            {
                return;
            }

            Outgoing? chosen = _outgoing.Count == 0 ? null : _outgoing[amount % _outgoing.Count];
            switch (kind)
            {
                case < 12:
                    Open(amount % 3 == 0);
                    break;
                case < 30:
                    chosen?.Write(pair.RandomBytes(amount));
                    break;
                case < 36:
                    chosen?.Finish();
                    break;
                case < 40:
                    chosen?.Reset((ulong)amount, 0);
                    break;
                case < 44:
                    chosen?.Reset((ulong)amount, (ulong)(chosen.Data.Count * which / 10));
                    break;
                case < 48:
                    Stop(amount, pair.Now);
                    break;
                case < 52:
                    chosen?.Stream.SetUrgency(new SendUrgency(which, long.MaxValue));
                    break;
                case < 62:
                    SendDatagram(pair.RandomBytes(amount % 1300), which, pair.Now + (amount * 50L));
                    break;
                case < 64:
                    side.Core.Ping();
                    break;
                case < 67:
                    side.IsLazy = true;
                    break;
                default:
                    side.IsLazy = false;
                    break;
            }
        }

        public void FinishAll()
        {
            side.IsLazy = false;
            foreach (Outgoing stream in _outgoing)
            {
                stream.Finish();
            }

            // What the peer opened both ways and this end never wrote on, ends too.
            foreach (StreamState stream in side.Accepted)
            {
                if (stream.Send is not null && _outgoing.All(known => known.Id != stream.Id))
                {
                    _outgoing.Add(new Outgoing(stream));
                    stream.Finish();
                }
            }
        }

        /// <summary>All that was neither reset nor stopped nor out of time is there, to the last byte.</summary>
        public void CheckArrival(RandomEnd at)
        {
            foreach (Outgoing stream in _outgoing)
            {
                byte[] received = at.Side.Received(stream.Id);
                if (at._stopped.Contains(stream.Id))
                {
                    continue;
                }

                int promised = stream.IsGivenUp ? stream.Reliable : stream.Data.Count;
                Assert.IsGreaterThanOrEqualTo(promised, received.Length, $"stream {stream.Id} of the {side.Name}");
                Assert.IsTrue(
                    at.Side.EndedStreams.Contains(stream.Id) || (stream.IsGivenUp && at.Side.ResetStreams.ContainsKey(stream.Id)),
                    $"stream {stream.Id} of the {side.Name} has no end");
            }

            foreach ((ulong number, byte[] data) in _datagrams)
            {
                if (side.DatagramStates[number] == DatagramState.Acknowledged)
                {
                    Assert.IsTrue(at.Side.Datagrams.Any(seen => seen.AsSpan().SequenceEqual(data)), "an acknowledged datagram is lost");
                }
            }
        }

        public void CheckPrefixes(RandomEnd at)
        {
            foreach (Outgoing stream in _outgoing)
            {
                byte[] received = at.Side.Received(stream.Id);
                int same = received.AsSpan().CommonPrefixLength(stream.Data.ToArray());
                Assert.AreEqual(received.Length, same, $"stream {stream.Id} of the {side.Name} was changed on its way");
            }

            Assert.IsLessThanOrEqualTo(_datagrams.Count, at.Side.Datagrams.Count, "a datagram came twice");
        }

        private void Open(bool unidirectional)
        {
            if (Streams.TryOpen(!unidirectional, out StreamState? stream))
            {
                _outgoing.Add(new Outgoing(stream!));
            }
        }

        private void Stop(int amount, long now)
        {
            StreamState[] readable = [.. side.Accepted.Where(stream => stream.Receive is not null)];
            if (readable.Length != 0)
            {
                StreamState stream = readable[amount % readable.Length];
                _stopped.Add(stream.Id);
                stream.StopReading((ulong)amount, now);
            }
        }

        private void SendDatagram(byte[] data, int priority, long deadline)
        {
            if (side.Core!.Datagrams.TryEnqueue(data, priority, deadline, out ulong number) == DatagramEnqueueResult.Queued)
            {
                _datagrams[number] = data;
            }
        }
    }

    private sealed class Outgoing(StreamState stream)
    {
        public StreamState Stream => stream;

        public ulong Id { get; } = stream.Id;

        public List<byte> Data { get; } = [];

        /// <summary>It was reset, or has a lifetime, or the peer stopped it: only the first part is promised.</summary>
        public bool IsGivenUp { get; private set; }

        public int Reliable { get; private set; }

        public void Write(byte[] data)
        {
            int taken = stream.Write(data);
            Data.AddRange(data.AsSpan(0, taken));
        }

        public void Finish() => stream.Finish();

        public string Describe() => $"stream {Id} of {Data.Count} bytes{(IsGivenUp ? $", {Reliable} promised" : "")}";

        public void Reset(ulong code, ulong reliable)
        {
            GiveUp(reliable);
            stream.Reset(code, reliable);
        }

        private void GiveUp(ulong reliable)
        {
            Reliable = IsGivenUp ? Math.Min(Reliable, (int)reliable) : (int)reliable;
            IsGivenUp = true;
        }
    }
}
