using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Wire;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing.Mutations;

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
    [DataRow(true)]
    [DataRow(false)]
    public void Spoiled_frames_cost_an_error_at_most(bool atServer)
    {
        int closed = 0;
        MutationRun.Of(MutationRoom.SealedFrames, atServer ? 1 : 2, (ref FuzzRandom random, int most) =>
        {
            using Pair pair = Connect(atServer, out EvilPeer evil);
            SimulatedSide victim = Victim(pair, atServer);
            int input = 0;
            try
            {
                for (; input < Math.Min(InputsPerConnection, most) && victim.Closed is null; input++)
                {
                    Attack(pair, evil, victim, ref random);
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

    private static Pair Connect(bool atServer, out EvilPeer evil)
    {
        Pair pair = new Pair(new PairOptions { StandInTls = true }).Handshake();
        SimulatedSide victim = Victim(pair, atServer);
        evil = new EvilPeer(atServer ? pair.Client : pair.Server, victim);
        Assert.IsTrue(victim.Core!.Streams.TryOpen(true, out TransportStream? stream));
        _ = stream!.Write(new byte[3_000]);
        return pair;
    }

    private static void Attack(Pair pair, EvilPeer evil, SimulatedSide victim, ref FuzzRandom random)
    {
        Span<byte> payload = stackalloc byte[1_300];
        var writer = new WireWriter(payload);
        ConnectionState state = victim.Core!.State;
        for (int frames = 1 + random.Below(4); frames > 0; frames--)
        {
            WriteLikely(ref writer, ref random, state);
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
                    || (!info.IsApplication && (info.ErrorCode is >= 0x03 and <= 0x0d || info.ErrorCode >> 8 == 1)),
                $"ended with {info}");
        }
        else
        {
            Assert.IsLessThan(4L << 20, state.Pool.RentedBytes);
            Assert.IsLessThanOrEqualTo(Limits.MaxActiveConnectionIds, victim.Ids.Count);
            Assert.IsLessThanOrEqualTo(400, victim.Core.Streams.Count);
            Assert.IsLessThanOrEqualTo(Limits.MaxPendingPathResponses, state.Paths.First.Network.Responses.Count);
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
