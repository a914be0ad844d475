using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Wire;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing.Mutations;
using Path = Post.Quic.Engine.Paths.Path;

namespace Post.Quic.Engine.Tests.Attacks;

/// <summary>
/// Packets under true keys whose frames, likely ones, were spoiled before they were sealed: past the cryptography, where
/// no random datagram gets.
/// </summary>
[TestClass]
public sealed class FrameFuzzTests
{
    private const int InputsPerConnection = 400;

    [TestMethod]
    [Mutates(MutationRoom.SealedFrames)]
    [DataRow(true, 1)]
    [DataRow(false, 1)]
    [DataRow(true, 4)]
    [DataRow(false, 4)]
    public void Spoiled_frames_cost_an_error_at_most(bool atServer, int paths)
    {
        int closed = 0;
        MutationRun.Of(MutationRoom.SealedFrames, (atServer ? 1 : 2) + (paths > 1 ? 2 : 0), (ref FuzzRandom random, int most) =>
        {
            using Pair pair = Connect(atServer, paths, out EvilPeer evil);
            SimulatedSide victim = Victim(pair, atServer);
            int input = 0;
            try
            {
                for (; input < Math.Min(InputsPerConnection, most) && victim.Closed is null; input++)
                {
                    Attack(pair, evil, victim, paths, ref random);
                }
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"{input} inputs into the connection: {failure.Message}", failure);
            }

            closed += victim.Closed is null ? 0 : 1;
            return input;
        });
        Assert.IsGreaterThan(
            MutationBudget.InputsOfOneTest(MutationRoom.SealedFrames) / 1_000, closed, "the frames were hardly spoiled");
    }

    private static SimulatedSide Victim(Pair pair, bool atServer) => atServer ? pair.Server : pair.Client;

    private static Pair Connect(bool atServer, int paths, out EvilPeer evil)
    {
        var settings = new ConnectionSettings { MaxPaths = paths };
        Pair pair = new Pair(new PairOptions { StandInTls = true, Client = settings, Server = settings }).Handshake();
        if (paths > 1)
        {
            pair.RunFor(200_000);
            _ = pair.Client.Core!.TryOpenPath(NetworkAddress.FromIPv4(0x0a000102, 50001), default, pair.Now, out uint id);
            pair.RunUntil(() => pair.Server.Core!.State.Paths.Find(id) is { IsUsable: true }, 5_000_000, "a path");
        }

        SimulatedSide victim = Victim(pair, atServer);
        evil = new EvilPeer(atServer ? pair.Client : pair.Server, victim);
        Assert.IsTrue(victim.Core!.Streams.TryOpen(true, out StreamState? stream));
        _ = stream!.Write(new byte[3_000]);
        return pair;
    }

    private static void Attack(Pair pair, EvilPeer evil, SimulatedSide victim, int paths, ref FuzzRandom random)
    {
        Span<byte> payload = stackalloc byte[1_300];
        var writer = new WireWriter(payload);
        ConnectionState state = victim.Core!.State;
        for (int frames = 1 + random.Below(4); frames > 0; frames--)
        {
            if (paths > 1 && random.Below(3) == 0)
            {
                WriteLikelyOfPaths(ref writer, ref random, state);
            }
            else
            {
                WriteLikely(ref writer, ref random, state);
            }
        }

        int length = writer.Position;
        // Mostly one byte only: what is spoiled beyond recognition ends the connection before it gets anywhere.
        if (random.Below(5) == 0)
        {
            length = Mutator.Mutate(payload, length, ref random);
        }
        else
        {
            payload[random.Below(length)] ^= (byte)(1 << random.Below(8));
        }

        byte[] content = payload[..length].ToArray();
        evil.Send(pair.Now, (ref WireWriter packet) => packet.WriteBytes(content));
        if (random.Below(4) == 0)
        {
            pair.RunFor(random.Below(30_000));
        }

        if (victim.Closed is { } info)
        {
            Assert.IsTrue(
                info.Source == CloseSource.Peer
                    || (!info.IsApplication && (info.ErrorCode is (>= 0x03 and <= 0x0d) or (ulong)TransportErrorCode.NoViablePath || info.ErrorCode >> 8 == 1)),
                $"ended with {info}");
        }
        else
        {
            Assert.IsLessThan(4L << 20, state.Pool.RentedBytes);
            Assert.IsLessThanOrEqualTo(paths * Limits.MaxActiveConnectionIds, victim.Ids.Count);
            Assert.IsLessThanOrEqualTo(paths, state.Paths.Known.Length);
            Assert.IsLessThanOrEqualTo(400, victim.Core.Streams.Count);
            foreach (Path path in state.Paths.Open)
            {
                Assert.IsLessThanOrEqualTo(Limits.MaxPendingPathResponses, path.Network.Responses.Count);
            }
        }
    }

    /// <summary>The same of the frames about several paths.</summary>
    private static void WriteLikelyOfPaths(ref WireWriter writer, ref FuzzRandom random, ConnectionState victim)
    {
        uint id = (uint)random.Below(4);
        switch (random.Below(30))
        {
            case < 4:
                ulong largest = victim.Paths.Find(id) is { HasNetwork: true } path ? Math.Max(1, path.Space.NextPacketNumber) - 1 : 0;
                _ = AckFrameWriter.TryWrite(ref writer, [new PacketNumberRange(largest, largest)], 10, default, out _, id);
                break;
            case < 10:
                new PathStatusFrame(random.Coin(), id, (ulong)random.Below(50)).Write(ref writer);
                break;
            case < 16:
                ulong sequence = (ulong)random.Below(6);
                new NewConnectionIdFrame(
                    sequence, (ulong)random.Below((int)sequence + 1), FrameSamples.Id(ref random), FrameSamples.Token(ref random), id)
                    .Write(ref writer);
                break;
            case < 19:
                new RetireConnectionIdFrame((ulong)random.Below(4), id).Write(ref writer);
                break;
            case < 23:
                new MaxPathIdFrame(3 + (ulong)random.Below(1_000)).Write(ref writer);
                break;
            case < 26:
                new PathsBlockedFrame((ulong)random.Below(4)).Write(ref writer);
                break;
            case < 29:
                new PathConnectionIdsBlockedFrame(id, (ulong)random.Below(3)).Write(ref writer);
                break;
            default:
                new PathAbandonFrame(id, random.VarInt()).Write(ref writer);
                break;
        }
    }

    /// <summary>A frame as an honest peer could have sent it.</summary>
    private static void WriteLikely(ref WireWriter writer, ref FuzzRandom random, ConnectionState victim)
    {
        ulong theirs = (ulong)(4 * random.Below(12)) + (ulong)(2 * random.Below(2)) + (victim.IsServer ? 0u : 1u);
        ulong ours = victim.IsServer ? 1u : 0u;
        Span<byte> data = stackalloc byte[random.Below(120)];
        random.Fill(data);
        switch (random.Below(18))
        {
            case < 5:
                StreamFrame.Write(ref writer, theirs, (ulong)random.Below(3_000), data, fin: false);
                break;
            case 5:
                ulong largest = victim.Paths.First.Space.NextPacketNumber - 1;
                _ = AckFrameWriter.TryWrite(ref writer, [new PacketNumberRange(largest, largest)], 10, default, out _);
                break;
            case 6:
                new MaxDataFrame(random.VarInt()).Write(ref writer);
                break;
            case 7:
                new MaxStreamDataFrame(ours, random.VarInt()).Write(ref writer);
                break;
            case 8:
                new MaxStreamsFrame(random.Coin(), (ulong)random.Below(1_000)).Write(ref writer);
                break;
            case 9:
                new ResetStreamFrame(theirs, random.VarInt(), (ulong)(3_200 + random.Below(50))).Write(ref writer);
                break;
            case 10:
                new StopSendingFrame(ours, random.VarInt()).Write(ref writer);
                break;
            case 11:
                new PathChallengeFrame(random.Next()).Write(ref writer);
                break;
            case 12:
                new PathResponseFrame(random.Next()).Write(ref writer);
                break;
            case 13:
                DatagramFrame.Write(ref writer, data);
                break;
            case 14:
                new StreamDataBlockedFrame(theirs, random.VarInt()).Write(ref writer);
                break;
            case 15:
                new ResetStreamAtFrame(theirs, 1, (ulong)(3_200 + random.Below(50)), (ulong)random.Below(3_000)).Write(ref writer);
                break;
            case 16:
                ulong sequence = (ulong)(8 + random.Below(4));
                new NewConnectionIdFrame(
                    sequence, (ulong)random.Below(9), FrameSamples.Id(ref random), FrameSamples.Token(ref random)).Write(ref writer);
                break;
            default:
                FrameSamples.Write(FrameSamples.Types[random.Below(FrameSamples.Types.Length)], ref writer, ref random);
                break;
        }
    }
}
