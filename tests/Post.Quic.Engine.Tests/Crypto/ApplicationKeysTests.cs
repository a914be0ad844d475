using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>Key updates (RFC 9001 section 6), told as packets between two endpoints.</summary>
[TestClass]
public sealed class ApplicationKeysTests
{
    private const CipherSuite Suite = CipherSuite.Aes128GcmSha256;

    [TestMethod]
    public void An_update_that_we_initiate_goes_all_the_way_round()
    {
        using var pair = new Pair();
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(0));
        Assert.AreEqual(OpenOutcome.Opened, pair.ServerToClient(0));

        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(1UL, pair.Client.SendGeneration);
        Assert.AreEqual(0UL, pair.Client.ReceiveGeneration);

        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(1));
        Assert.AreEqual(1UL, pair.Server.SendGeneration, "The server answers the update with its own.");
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ServerToClient(1));
        Assert.AreEqual(1UL, pair.Client.ReceiveGeneration);
        Assert.AreEqual(1UL, pair.Client.SendGeneration, "The answer to our update is no update of its own.");
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(2));
        Assert.AreEqual(OpenOutcome.Opened, pair.ServerToClient(2));
    }

    [TestMethod]
    public void A_hundred_updates_in_turn_from_either_side_keep_both_in_step()
    {
        using var pair = new Pair();
        ulong number = 0;
        for (int i = 0; i < 100; i++)
        {
            ApplicationKeys initiator = (i % 3) == 0 ? pair.Server : pair.Client;
            Assert.IsTrue(initiator.TryInitiateUpdate(), $"update {i}");
            if (initiator == pair.Client)
            {
                Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(number), $"update {i}");
                Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ServerToClient(number), $"update {i}");
            }
            else
            {
                Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ServerToClient(number), $"update {i}");
                Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(number), $"update {i}");
            }

            pair.AcknowledgeBoth(number);
            pair.Client.DropPrevious();
            pair.Server.DropPrevious();
            number++;
        }

        Assert.AreEqual(100UL, pair.Client.SendGeneration);
        Assert.AreEqual(100UL, pair.Server.ReceiveGeneration);
    }

    [TestMethod]
    public void Both_sides_updating_at_once_meet_in_the_same_phase()
    {
        using var pair = new Pair();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.IsTrue(pair.Server.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(0));
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ServerToClient(0));
        Assert.AreEqual(1UL, pair.Client.SendGeneration);
        Assert.AreEqual(1UL, pair.Server.SendGeneration);
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(1));
    }

    [TestMethod]
    public void A_late_packet_of_the_previous_phase_opens_until_its_keys_are_dropped()
    {
        using var pair = new Pair();
        byte[] late = pair.ProtectByClient(0);
        byte[] tooLate = pair.ProtectByClient(1);
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(2));

        Assert.IsTrue(pair.Server.HasPrevious);
        Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, late, 0));
        Assert.AreEqual(0UL, pair.Server.OpenedGeneration);
        pair.Server.DropPrevious();
        Assert.IsFalse(pair.Server.HasPrevious);
        Assert.AreEqual(OpenOutcome.Undecryptable, Pair.Open(pair.Server, tooLate, 1));
    }

    [TestMethod]
    public void An_update_must_wait_for_an_acknowledgement_and_for_the_previous_keys_to_go()
    {
        using var pair = new Pair();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.IsFalse(pair.Client.TryInitiateUpdate(), "The peer has not followed yet.");
        _ = pair.ClientToServer(0);
        _ = pair.ServerToClient(0);
        Assert.IsFalse(pair.Client.TryInitiateUpdate(), "Nothing of the new phase was acknowledged.");
        Assert.IsFalse(pair.Client.OnAcknowledged(0, 0, pair.Client.OpenedGeneration).IsError);
        Assert.IsFalse(pair.Client.TryInitiateUpdate(), "The previous keys are still kept.");
        pair.Client.DropPrevious();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
    }

    [TestMethod]
    public void An_acknowledgement_of_the_old_phase_does_not_allow_an_update()
    {
        using var pair = new Pair();
        _ = pair.ClientToServer(0);
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        _ = pair.ClientToServer(1);
        _ = pair.ServerToClient(0);
        pair.Client.DropPrevious();
        Assert.IsFalse(pair.Client.OnAcknowledged(0, 0, 1).IsError);
        Assert.IsFalse(pair.Client.CanInitiateUpdate);
        Assert.IsFalse(pair.Client.OnAcknowledged(0, 1, 1).IsError);
        Assert.IsTrue(pair.Client.CanInitiateUpdate);
    }

    [TestMethod]
    public void Acknowledging_a_new_phase_under_old_keys_is_a_key_update_error()
    {
        using var pair = new Pair();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        _ = pair.ProtectByClient(5);
        Assert.AreEqual(OpenOutcome.Opened, pair.ServerToClient(0));
        TransportError error = pair.Client.OnAcknowledged(0, 5, pair.Client.OpenedGeneration);
        Assert.AreEqual(TransportErrorCode.KeyUpdateError, error.Code);
        Assert.IsTrue(error.IsError);
    }

    [TestMethod]
    public void A_second_update_before_we_could_acknowledge_the_first_is_a_key_update_error()
    {
        using var pair = new Pair();
        using var rogue = new Pair();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(0));

        // The rogue client has the same secrets but follows a server that did answer.
        Assert.IsTrue(rogue.Client.TryInitiateUpdate());
        _ = rogue.ClientToServer(0);
        _ = rogue.ServerToClient(0);
        rogue.AcknowledgeBoth(0);
        rogue.Client.DropPrevious();
        Assert.IsTrue(rogue.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.KeyUpdateError, Pair.Open(pair.Server, rogue.ProtectByClient(1), 1));
    }

    [TestMethod]
    public void New_keys_below_a_number_that_came_under_old_ones_are_a_key_update_error()
    {
        using var pair = new Pair();
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(9));
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.KeyUpdateError, pair.ClientToServer(8));
    }

    [TestMethod]
    public void New_keys_below_a_late_packet_of_the_old_phase_are_a_key_update_error()
    {
        using var pair = new Pair();
        using var stale = new Pair();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(9));
        Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, stale.ProtectByClient(5), 5));
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(6));
        Assert.AreEqual(OpenOutcome.KeyUpdateError, pair.ClientToServer(4));
    }

    [TestMethod]
    public void Old_keys_above_the_start_of_the_new_phase_do_not_open()
    {
        using var pair = new Pair();
        using var stale = new Pair();
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(3));
        Assert.AreEqual(OpenOutcome.Undecryptable, Pair.Open(pair.Server, stale.ProtectByClient(4), 4));
        Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, stale.ProtectByClient(2), 2));
    }

    [TestMethod]
    public void A_late_packet_of_another_path_is_known_by_that_paths_numbers()
    {
        using var pair = new Pair();
        byte[] late = pair.ProtectByClient(1000, pathId: 1);
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(1));
        Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, late, 1000, pathId: 1));
        Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, pair.ProtectByClient(1001, 1), 1001, pathId: 1));
    }

    [TestMethod]
    public void Many_paths_do_not_grow_the_memory_of_phases()
    {
        using var pair = new Pair();
        for (uint path = 0; path < 200; path++)
        {
            Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, pair.ProtectByClient(path, path), path, path));
        }

        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, Pair.Open(pair.Server, pair.ProtectByClient(500, 199), 500, 199));
        Assert.AreEqual(OpenOutcome.Opened, Pair.Open(pair.Server, pair.ProtectByClient(501, 3), 501, 3));
    }

    [TestMethod]
    public void A_flipped_key_phase_that_is_a_forgery_changes_nothing()
    {
        using var pair = new Pair();
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(0));
        byte[] packet = pair.ProtectByClient(1);
        packet[0] ^= 0x04;
        Assert.AreEqual(OpenOutcome.Undecryptable, Pair.Open(pair.Server, packet, 1));
        Assert.AreEqual(0UL, pair.Server.ReceiveGeneration);
        Assert.AreEqual(1UL, pair.Server.AuthenticationFailures);
        Assert.AreEqual(OpenOutcome.Opened, pair.ClientToServer(2));
    }

    [TestMethod]
    public void The_table_of_limits_is_that_of_the_RFC()
    {
        Assert.AreEqual(new AeadLimits(8388608, 4503599627370496), AeadLimits.For(CipherSuite.Aes128GcmSha256));
        Assert.AreEqual(new AeadLimits(8388608, 4503599627370496), AeadLimits.For(CipherSuite.Aes256GcmSha384));
        Assert.AreEqual(68719476736UL, AeadLimits.For(CipherSuite.ChaCha20Poly1305Sha256).Integrity);
        Assert.AreEqual(1UL << 62, AeadLimits.For(CipherSuite.ChaCha20Poly1305Sha256).Confidentiality);
    }

    [TestMethod]
    public void Keys_ask_for_an_update_at_half_their_limit_and_never_exceed_it()
    {
        using var pair = new Pair(new AeadLimits(200, 1000));
        for (ulong number = 0; number < 200; number++)
        {
            Assert.AreEqual(number >= 100, pair.Client.NeedsUpdate, $"packet {number}");
            Assert.AreEqual(number >= 136, pair.Client.IsConfidentialityLimitNear, $"packet {number}");
            _ = pair.ProtectByClient(number);
        }

        Assert.ThrowsExactly<InvalidOperationException>(() => pair.ProtectByClient(200));
        Assert.IsTrue(pair.Client.TryInitiateUpdate());
        Assert.IsFalse(pair.Client.NeedsUpdate);
        Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(201));
    }

    [TestMethod]
    public void Forgeries_count_across_key_updates_up_to_the_integrity_limit()
    {
        using var pair = new Pair(new AeadLimits(1000, 5));
        for (ulong number = 0; number < 5; number++)
        {
            if (number == 2)
            {
                Assert.IsTrue(pair.Client.TryInitiateUpdate());
                Assert.AreEqual(OpenOutcome.OpenedInNewPhase, pair.ClientToServer(50));
            }

            byte[] forged = pair.ProtectByClient(100 + number);
            forged[^1] ^= 1;
            Assert.AreEqual(
                number == 4 ? OpenOutcome.IntegrityLimitReached : OpenOutcome.Undecryptable,
                Pair.Open(pair.Server, forged, 100 + number));
        }
    }

    [TestMethod]
    public void A_server_may_send_before_it_may_receive()
    {
        using var keys = new ApplicationKeys(CryptoProviderFactory.Default, QuicVersion.Version1, Suite);
        Assert.IsFalse(keys.CanSend);
        keys.InstallSend(new byte[32]);
        Assert.IsTrue(keys.CanSend);
        Assert.IsFalse(keys.CanReceive);
        Assert.IsFalse(keys.CanInitiateUpdate);
        Assert.IsFalse(keys.TryUnprotectHeader(new byte[60], 1, out _, out _));
        Assert.AreEqual(OpenOutcome.Undecryptable, keys.TryOpen(new byte[60], 5, 0));
    }

    [TestMethod]
    public void Steady_state_allocates_nothing()
    {
        using var pair = new Pair();
        byte[] packet = new byte[1200];
        Run(0, 10);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(10, 500);
        Assert.AreEqual(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run(ulong from, ulong to)
        {
            for (ulong number = from; number < to; number++)
            {
                packet[0] = 0x43;
                pair.Client.Protect(packet, 9, 4, number);
                Assert.IsTrue(pair.Server.TryUnprotectHeader(packet, 9, out int length, out _));
                Assert.AreEqual(OpenOutcome.Opened, pair.Server.TryOpen(packet, 9 + length, number));
            }
        }
    }

    private sealed class Pair : IDisposable
    {
        public Pair()
            : this(AeadLimits.For(Suite))
        {
        }

        public Pair(AeadLimits limits)
        {
            byte[] ofClient = new byte[32];
            byte[] ofServer = new byte[32];
            ofServer[0] = 1;
            Client = new ApplicationKeys(CryptoProviderFactory.Default, QuicVersion.Version1, Suite, limits);
            Server = new ApplicationKeys(CryptoProviderFactory.Default, QuicVersion.Version1, Suite, limits);
            Client.InstallSend(ofClient);
            Client.InstallReceive(ofServer);
            Server.InstallSend(ofServer);
            Server.InstallReceive(ofClient);
        }

        public ApplicationKeys Client { get; }

        public ApplicationKeys Server { get; }

        public static OpenOutcome Open(ApplicationKeys keys, byte[] packet, ulong number, uint pathId = 0)
        {
            byte[] work = packet.ToArray();
            Assert.IsTrue(keys.TryUnprotectHeader(work, 5, out int length, out _));
            return keys.TryOpen(work, 5 + length, number, pathId);
        }

        public byte[] ProtectByClient(ulong number, uint pathId = 0) => Protect(Client, number, pathId);

        public OpenOutcome ClientToServer(ulong number) => Open(Server, Protect(Client, number), number);

        public OpenOutcome ServerToClient(ulong number) => Open(Client, Protect(Server, number), number);

        public void AcknowledgeBoth(ulong number)
        {
            Assert.IsFalse(Client.OnAcknowledged(0, number, Client.ReceiveGeneration).IsError);
            Assert.IsFalse(Server.OnAcknowledged(0, number, Server.ReceiveGeneration).IsError);
        }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }

        private static byte[] Protect(ApplicationKeys keys, ulong number, uint pathId = 0)
        {
            byte[] packet = new byte[64];
            packet[0] = 0x43;
            keys.Protect(packet, 5, 4, number, pathId);
            return packet;
        }
    }
}
