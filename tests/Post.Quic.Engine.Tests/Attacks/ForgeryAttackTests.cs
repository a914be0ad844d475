using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Wire;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Attacks;

/// <summary>What comes where it must not come: frames in the wrong packets, forged addresses, spoiled parameters.</summary>
[TestClass]
public sealed class ForgeryAttackTests
{
    /// <summary>Initial keys are public: anyone on the path can say this. RFC 9000 section 12.4, table 3.</summary>
    [TestMethod]
    public void Frames_of_the_application_in_Initial_packets_close_the_connection()
    {
        foreach (ulong type in FrameSamples.Types)
        {
            if (type is FrameType.Ping or FrameType.Ack or FrameType.AckEcn or FrameType.Crypto or FrameType.ConnectionClose)
            {
                continue;
            }

            using var pair = new Pair(new PairOptions { StandInTls = true, Server = new ConnectionSettings { MaxPaths = 2 } });
            pair.Network.FromServer = new LinkConditions { Loss = 1 };
            _ = pair.Connect();
            pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "arrival");
            var evil = new EvilPeer(pair.Client, pair.Server);
            var random = new FuzzRandom(type);
            FuzzRandom seed = random;
            evil.Send(
                pair.Now,
                (ref WireWriter writer) => FrameSamples.Write(type, ref writer, ref seed),
                EncryptionLevel.Initial,
                padTo: 1200);
            Assert.AreEqual(
                (ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode, $"frame 0x{type:x} in an Initial packet");
            Assert.AreEqual(0L, pair.Server.BytesRead);
        }
    }

    [TestMethod]
    public void HANDSHAKE_DONE_before_the_handshake_is_done_confirms_nothing()
    {
        using var pair = new Pair();
        _ = pair.Connect();
        pair.RunUntil(
            () => pair.Client.Core!.State.Keys.CanReceive(EncryptionLevel.Handshake), 1_000_000, "handshake keys");
        var evil = new EvilPeer(pair.Server, pair.Client);
        evil.Send(pair.Now, (ref WireWriter writer) => HandshakeDoneFrame.Write(ref writer), EncryptionLevel.Handshake);
        Assert.IsFalse(pair.Client.IsConfirmed);
        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Client.Closed?.ErrorCode);
    }

    /// <summary>
    /// Every 300 ms someone repeats a packet of the client's from another address, while the network loses one packet in
    /// seven: the connection stays, and its data comes.
    /// </summary>
    [TestMethod]
    public void Forged_moves_under_loss_cut_nobody_off()
    {
        foreach (ulong seed in Seeds.Of(50))
        {
            ConnectionSettings settings = ConnectionSettings.Default with { KeepAliveInterval = 500_000 };
            using Pair pair = new Pair(new PairOptions
            {
                Seed = seed,
                StandInTls = true,
                Client = settings,
                Server = settings,
            }).Handshake();
            pair.Network.Conditions = new LinkConditions { Loss = 0.15, Bandwidth = 50_000 };
            Assert.IsTrue(pair.Server.Core!.Streams.TryOpen(true, out StreamState? stream));
            byte[] data = pair.RandomBytes(100_000);
            stream.WriteAll(data);
            stream.Finish();
            var forger = new EvilPeer(pair.Client, pair.Server);
            for (ushort i = 0; i < 20 && pair.Server.Closed is null; i++)
            {
                forger.From = NetworkAddress.FromIPv4(0xc0a80000u + i, i);
                forger.Send(pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer));
                pair.RunFor(300_000);
            }

            pair.RunUntil(
                () => pair.Client.EndedStreams.Contains(stream.Id) || pair.Server.Closed is not null, 200_000_000, "data");
            Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}; {pair.Repeat}");
            CollectionAssert.AreEqual(data, pair.Client.Received(stream.Id), pair.Repeat);
        }
    }

    /// <summary>CVE-2026-31812: whatever the extension holds, the answer is an error of the table or a connection.</summary>
    [TestMethod]
    public void Spoiled_transport_parameters_cost_an_error_at_most()
    {
        const ulong Seed = 77;
        int refused = 0;
        for (int input = 0; input < 5_000; input++)
        {
            var random = new FuzzRandom(FuzzRandom.SeedOf(Seed, input));
            FuzzRandom draws = random;
            using var pair = new Pair(new PairOptions
            {
                Seed = 5,
                StandInTls = true,
                SpoilParameters = parameters =>
                {
                    byte[] spoiled = new byte[parameters.Length + 32];
                    parameters.CopyTo(spoiled, 0);
                    return spoiled[..Mutator.Mutate(spoiled, parameters.Length, ref draws)];
                },
            });
            try
            {
                pair.Connect().RunUntil(
                    () => pair.Server.Closed is not null || pair.Server.IsConfirmed || pair.Client.Closed is not null,
                    20_000_000,
                    "an end");
            }
            catch (Exception escaped) when (escaped is not AssertFailedException)
            {
                Assert.Fail($"input {input} of seed {Seed}: {escaped}");
            }

            if (pair.Server.Closed is { } info)
            {
                refused++;
                Assert.IsTrue(
                    (TransportErrorCode)info.ErrorCode is TransportErrorCode.TransportParameterError
                        or TransportErrorCode.ProtocolViolation or TransportErrorCode.VersionNegotiationError,
                    $"input {input} of seed {Seed}: {info}");
            }
        }

        Assert.IsGreaterThan(500, refused, "the parameters were hardly spoiled");
    }
}
