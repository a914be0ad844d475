using CsCheck;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Random peers and random networks: nothing throws, memory stays bounded, all bytes arrive.</summary>
[TestClass]
public sealed class StreamRandomTests
{
    private static readonly StreamCredits Small = new(20_000, 8_000, 8_000, 8_000, 6, 6);

    [TestMethod]
    public void Any_sequence_of_frames_costs_an_error_at_most() =>
        Gen.Select(Gen.Int[0, 9], Gen.ULong[0, 30], Gen.ULong[0, 9000], Gen.Int[0, 1200], Gen.Bool)
            .Array[1, 60]
            .SampleSeeded(frames => Attack(frames, isPushed: false), iter: 3000);

    [TestMethod]
    public void Any_sequence_of_frames_costs_an_error_at_most_where_streams_are_pushed() =>
        Gen.Select(Gen.Int[0, 9], Gen.ULong[0, 30], Gen.ULong[0, 9000], Gen.Int[0, 1200], Gen.Bool)
            .Array[1, 60]
            .SampleSeeded(frames => Attack(frames, isPushed: true), iter: 3000);

    [TestMethod]
    public void Whole_streams_arrive_once_over_any_network() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 3000], Gen.Int[0, 3]).Array[20, 200].SampleSeeded(SendWhole, iter: 500);

    [TestMethod]
    public void All_bytes_arrive_over_any_network() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 4000], Gen.Int[0, 3]).Array[20, 150].SampleSeeded(Transfer, iter: 300);

    private static void Attack((int Kind, ulong Id, ulong Offset, int Length, bool Flag)[] frames, bool isPushed)
    {
        var server = new StreamEnd(isServer: true, Small);
        server.Table.ApplyPeerCredits(Small);
        server.Table.PeerKnowsResetStreamAt = true;
        StreamState mine = server.Open();
        mine.Write(new byte[3000]);
        server.Open(bidirectional: false).Write(new byte[3000]);
        server.Table.TrySendWhole(new byte[1000], new byte[500], default, 1);
        server.Build();
        var data = new byte[1200];
        List<StreamState> accepted = server.Arrived;
        if (isPushed)
        {
            server.Table.BeginPushing();
        }

        foreach ((int kind, ulong id, ulong offset, int length, bool flag) in frames)
        {
            TransportError error = default;
            switch (kind)
            {
                case < 3:
                    error = server.Receive(StreamStateTests.Data(id, offset, data.AsSpan(0, length), flag));
                    break;
                case 3:
                    error = server.Table.Handle(new ResetStreamFrame(id, 1, offset), server.Now);
                    break;
                case 4:
                    error = server.Table.Handle(new ResetStreamAtFrame(id, 1, offset, offset / 2), server.Now);
                    break;
                case 5:
                    error = server.Table.Handle(new StopSendingFrame(id, 3), server.Now);
                    break;
                case 6:
                    error = server.Table.Handle(new MaxStreamDataFrame(id, offset));
                    break;
                case 7 when isPushed:
                    server.TakesWhole = flag;
                    server.Table.PushArrived(server.Now);
                    break;
                case 7:
                    if (server.Table.TryAccept(flag, server.Now, out StreamState? next))
                    {
                        accepted.Add(next!);
                    }

                    break;
                case 8 when accepted.Count > 0:
                    Use(accepted, server, (int)id, length, flag);
                    break;
                default:
                    server.Now += (long)offset;
                    if (server.Build() is { } packet)
                    {
                        if (flag)
                        {
                            server.Acked(packet);
                        }
                        else
                        {
                            server.Lost(packet);
                        }
                    }

                    break;
            }

            // Two thirds of what was announced can be received, and a block is at most three times its bytes.
            Assert.IsTrue(server.Pool.RentedBytes <= 200_000, $"{server.Pool.RentedBytes} bytes");
            Assert.IsTrue(server.Table.Count <= 15, $"{server.Table.Count} streams");
            if (error.IsError)
            {
                Assert.IsTrue(
                    error.Code is TransportErrorCode.StreamStateError or TransportErrorCode.StreamLimitError
                        or TransportErrorCode.FlowControlError or TransportErrorCode.FinalSizeError,
                    error.ToString());
                break;
            }
        }

        server.Table.Abandon();
        Assert.AreEqual(0, server.Pool.RentedBytes);
        Assert.AreEqual(0, server.Table.Count);
    }

    private static void Use(List<StreamState> streams, StreamEnd end, int index, int length, bool flag)
    {
        index %= streams.Count;
        StreamState stream = streams[index];
        switch (length % 6)
        {
            case 0:
                stream.StopReading(4, end.Now);
                break;
            case 1:
                stream.Release(5, end.Now);
                streams.RemoveAt(index);
                break;
            case 2 when stream.Send is not null:
                stream.Write(new byte[length]);
                break;
            case 4 when flag:
                stream.AcknowledgeReset(end.Now);
                break;
            default:
                stream.Read(new byte[length], end.Now);
                break;
        }
    }

    /// <summary>Each step writes, sends, loses, reorders, doubles or reads; then the network heals.</summary>
    private static void Transfer((int Kind, int Amount, int Which)[] steps)
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(Small, Small);
        var sending = new StreamState[4];
        var written = new int[4];
        var read = new int[4];
        var receiving = new StreamState?[4];
        for (int i = 0; i < 4; i++)
        {
            sending[i] = client.Open(bidirectional: false);
            sending[i].SetUrgency(new SendUrgency(i % 2, long.MaxValue));
        }

        var wire = new List<StreamPacket>();
        foreach ((int kind, int amount, int which) in steps)
        {
            client.Now += 500;
            server.Now += 500;
            switch (kind)
            {
                case < 30:
                    byte[] bytes = [.. Enumerable.Range(written[which], amount).Select(i => Expected(which, i))];
                    written[which] += sending[which].Write(bytes);
                    break;
                case < 60:
                    if (client.Build(200 + (amount % 1300)) is { } packet)
                    {
                        wire.Add(packet);
                    }

                    break;
                case < 80 when wire.Count > 0:
                    Deliver(client, server, wire, amount % wire.Count, fate: kind % 5);
                    break;
                case < 95:
                    ReadSome(server, receiving, read, which, amount);
                    break;
                case < 98:
                    sending[which].SetUrgency(new SendUrgency(amount % 3, amount));
                    break;
                default:
                    if (server.Build() is { } credit)
                    {
                        client.Receive(credit);
                    }

                    break;
            }
        }

        foreach (StreamState stream in sending)
        {
            stream.Finish();
        }

        while (client.Table.Count > 0 || server.Table.Count > 0)
        {
            while (wire.Count > 0)
            {
                Deliver(client, server, wire, wire.Count - 1, fate: 0);
            }

            int packets = client.Exchange(server);
            for (int i = 0; i < 4; i++)
            {
                ReadSome(server, receiving, read, i, 1_000_000);
            }

            Assert.IsTrue(packets > 0 || server.Table.HasFramesToSend || server.Table.Count == 0, "stands still");
        }

        CollectionAssert.AreEqual(written, read);
        Assert.AreEqual(0, client.Pool.RentedBytes + server.Pool.RentedBytes);
    }

    /// <summary>Each step sends, loses, reorders, doubles, resets or hands over; then the network heals, and each stream has come once.</summary>
    private static void SendWhole((int Kind, int Amount, int Which)[] steps)
    {
        (StreamEnd client, StreamEnd server) = StreamEnd.Pair(Small, Small);
        server.Table.BeginPushing();
        var sizes = new List<int>();
        var reset = new HashSet<long>();
        var came = new Dictionary<ulong, int>();
        server.WholeCame = (id, bytes) =>
        {
            came.Add(id >> 2, bytes.Length);
            for (int i = 0; i < bytes.Length; i++)
            {
                if (bytes[i] != Expected((int)(id >> 2), i))
                {
                    Assert.Fail($"stream {id >> 2} differs at {i}");
                }
            }
        };

        var wire = new List<StreamPacket>();
        foreach ((int kind, int amount, int which) in steps)
        {
            client.Now += 500;
            server.Now += 500;
            switch (kind)
            {
                case < 40:
                    byte[] bytes = [.. Enumerable.Range(0, amount).Select(i => Expected(sizes.Count, i))];
                    var urgency = new SendUrgency(which, long.MaxValue);
                    if (client.Table.TrySendWhole(bytes.AsSpan(0, amount / 4), bytes.AsSpan(amount / 4), urgency, sizes.Count)
                        == WholeStreamResult.Queued)
                    {
                        sizes.Add(amount);
                    }

                    break;
                case < 70:
                    if (client.Build(200 + (amount % 1300)) is { } packet)
                    {
                        wire.Add(packet);
                    }

                    break;
                case < 85 when wire.Count > 0:
                    Deliver(client, server, wire, amount % wire.Count, fate: kind % 5);
                    break;
                case < 90:
                    server.Table.PushArrived(server.Now);
                    ReadArrived(server, came);
                    break;
                case < 92 when sizes.Count > 0:
                    long token = amount % sizes.Count;
                    if (client.Table.ResetWhole(token, 9, 0))
                    {
                        reset.Add(token);
                    }

                    break;
                default:
                    if (server.Build() is { } credit)
                    {
                        client.Receive(credit);
                        server.Acked(credit);
                    }

                    break;
            }
        }

        while (client.Table.Count > 0 || server.Table.Count > 0)
        {
            while (wire.Count > 0)
            {
                Deliver(client, server, wire, wire.Count - 1, fate: 0);
            }

            int packets = client.Exchange(server);
            server.Table.PushArrived(server.Now);
            ReadArrived(server, came);
            Assert.IsTrue(packets > 0 || server.Table.HasFramesToSend || server.Table.Count == 0, "stands still");
        }

        for (int i = 0; i < sizes.Count; i++)
        {
            Assert.IsTrue(
                came.TryGetValue((ulong)i, out int size) ? size == sizes[i] || reset.Contains(i) : reset.Contains(i), $"stream {i}");
            Assert.AreEqual(1, client.Events.Count(e => e == $"acknowledged whole {i}") + (reset.Contains(i) ? 1 : 0), $"stream {i}");
        }

        Assert.AreEqual(0, client.Pool.RentedBytes + server.Pool.RentedBytes);
    }

    /// <summary>What did not come whole is read as it comes, and given back at its end or at its reset.</summary>
    private static void ReadArrived(StreamEnd server, Dictionary<ulong, int> came)
    {
        var buffer = new byte[4000];
        foreach (StreamState stream in server.Arrived.ToArray())
        {
            ulong index = stream.Id >> 2;
            int read;
            while ((read = stream.Read(buffer, server.Now)) > 0)
            {
                int before = came.GetValueOrDefault(index);
                for (int i = 0; i < read; i++)
                {
                    if (buffer[i] != Expected((int)index, before + i))
                    {
                        Assert.Fail($"stream {index} differs at {before + i}");
                    }
                }

                came[index] = before + read;
            }

            if (stream.Receive!.State is ReceiveState.DataRead or ReceiveState.ResetReceived)
            {
                came.TryAdd(index, 0);
                server.Arrived.Remove(stream);
                stream.Release(0, server.Now);
            }
        }
    }

    private static void Deliver(StreamEnd client, StreamEnd server, List<StreamPacket> wire, int index, int fate)
    {
        StreamPacket packet = wire[index];
        if (fate == 1)
        {
            client.Lost(packet);
            wire.RemoveAt(index);
            return;
        }

        Assert.AreEqual(TransportError.None, server.Receive(packet));
        if (fate == 2)
        {
            // It arrives again later, or for the first time for what the sender knows.
            return;
        }

        if (fate == 3)
        {
            // Taken for lost, though it arrived.
            client.Lost(packet);
        }

        client.Acked(packet);
        wire.RemoveAt(index);
    }

    private static void ReadSome(StreamEnd server, StreamState?[] receiving, int[] read, int which, int amount)
    {
        while (server.Table.TryAccept(false, server.Now, out StreamState? stream))
        {
            receiving[stream!.Id >> 2] = stream;
        }

        if (receiving[which] is not { } reader)
        {
            return;
        }

        var buffer = new byte[amount];
        int count = reader.Read(buffer, server.Now);
        for (int i = 0; i < count; i++)
        {
            if (buffer[i] != Expected(which, read[which] + i))
            {
                Assert.Fail($"stream {which} differs at {read[which] + i}");
            }
        }

        read[which] += count;
    }

    private static byte Expected(int stream, int offset) => (byte)((offset * 7) + (offset >> 8) + (stream * 50));
}
