using System.Net.Security;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class ResumptionTests
{
    private static readonly DateTimeOffset Later = TestCertificates.Now.AddMinutes(5);

    [TestMethod]
    public void A_session_is_resumed_without_certificates()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        foreach (CipherSuite suite in TlsDefaults.CipherSuites)
        {
            TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys, suites: [suite]));
            using TlsPair resumed = Resume(ticket, TlsPair.ServerOptions(keys: keys));
            HandshakeTests.AssertComplete(resumed);
            Assert.IsTrue(resumed.Client.IsResumed && resumed.Server.IsResumed);
            Assert.AreEqual(suite, resumed.Client.CipherSuite);
            Assert.DoesNotContain("validate", resumed.ClientHost.Events);
            Assert.AreEqual(TestCertificates.P256.Certificate.Thumbprint, resumed.Client.Peer?.Certificate?.Thumbprint);
            Assert.HasCount(2, resumed.ClientHost.Tickets);
        }
    }

    [TestMethod]
    public void A_ticket_survives_storage()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys));
        byte[] stored = ticket.ToArray();
        Assert.IsTrue(TlsSessionTicket.TryParse(stored, out TlsSessionTicket? restored));
        CollectionAssert.AreEqual(stored, restored!.ToArray());
        CollectionAssert.AreEqual(new byte[] { 9, 8, 7 }, restored.TransportParameters);
        using TlsPair resumed = Resume(restored, TlsPair.ServerOptions(keys: keys));
        Assert.IsTrue(resumed.Server.IsResumed);
        for (int length = 0; length < stored.Length; length++)
        {
            Assert.IsFalse(TlsSessionTicket.TryParse(stored.AsSpan(0, length), out _), $"cut to {length}");
        }
    }

    [TestMethod]
    public void A_session_is_resumed_after_a_retry()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        var memory = new BoundedAntiReplay();
        TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys, earlyData: true, antiReplay: memory));
        using TlsPair resumed = new TlsPair(
            TlsPair.ClientOptions(ticket, earlyData: true),
            TlsPair.ServerOptions(keys: keys, groups: [NamedGroup.Secp384r1], earlyData: true, antiReplay: memory, cookie: [1]),
            Later).Run();
        HandshakeTests.AssertComplete(resumed);
        Assert.IsTrue(resumed.Server.IsResumed && resumed.Server.IsRetried);
        Assert.IsFalse(resumed.ClientHost.EarlyData);
        Assert.IsFalse(resumed.ServerHost.EarlyData);
    }

    [TestMethod]
    public void A_retry_with_another_hash_drops_the_key()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys, suites: [CipherSuite.Aes128GcmSha256]));
        using TlsPair full = new TlsPair(
            TlsPair.ClientOptions(ticket),
            TlsPair.ServerOptions(keys: keys, suites: [CipherSuite.Aes256GcmSha384], groups: [NamedGroup.Secp384r1]),
            Later).Run();
        HandshakeTests.AssertComplete(full);
        Assert.IsFalse(full.Client.IsResumed);
    }

    [TestMethod]
    public void Early_data_is_accepted_once()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay());
        TlsSessionTicket ticket = FirstTicket(options);
        Assert.IsTrue(ticket.AllowsEarlyData);
        byte[] hello = [];
        using var resumed = new TlsPair(TlsPair.ClientOptions(ticket, earlyData: true), options, Later)
        {
            Tamper = (_, _, message) =>
            {
                hello = hello.Length == 0 ? message : hello;
                return message;
            },
        };
        HandshakeTests.AssertComplete(resumed.Run());
        AssertEarlyData(resumed, true);
        CollectionAssert.AreEqual(
            resumed.ClientHost.Secrets[(EncryptionLevel.EarlyData, KeyDirection.Send)],
            resumed.ServerHost.Secrets[(EncryptionLevel.EarlyData, KeyDirection.Receive)]);

        // The same bytes again, as an attacker would send them: a handshake like any other, without early data.
        using var replayed = new TlsPair(serverOptions: options, time: Later);
        TransportError error = replayed.Server.Receive(EncryptionLevel.Initial, hello, 0);
        Assert.IsFalse(error.IsError, error.ToString());
        Assert.IsTrue(replayed.Server.IsResumed);
        Assert.IsFalse(replayed.ServerHost.EarlyData);
    }

    [TestMethod]
    public void Early_data_is_rejected_when_anything_changed_that_it_relied_on()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions giving = TlsPair.ServerOptions(
            keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay(), earlyDataContext: [1]);
        AssertRejected("context", TlsPair.ServerOptions(
            keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay(), earlyDataContext: [2]), Later, resumed: true);
        AssertRejected("off", TlsPair.ServerOptions(
            keys: keys, antiReplay: new BoundedAntiReplay(), earlyDataContext: [1]), Later, resumed: true);
        AssertRejected("no memory", TlsPair.ServerOptions(keys: keys, earlyData: true, earlyDataContext: [1]), Later, resumed: true);
        AssertRejected("full memory", TlsPair.ServerOptions(
            keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay(0), earlyDataContext: [1]), Later, resumed: true);
        AssertRejected("suite", TlsPair.ServerOptions(
            keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay(), earlyDataContext: [1], suites: [CipherSuite.Aes256GcmSha384]),
            Later, resumed: false);
        AssertRejected("protocol", TlsPair.ServerOptions(
            keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay(), earlyDataContext: [1], protocols: [SslApplicationProtocol.Http3]),
            Later, resumed: false);

        void AssertRejected(string name, TlsServerOptions options, DateTimeOffset time, bool resumed)
        {
            TlsSessionTicket ticket = FirstTicket(giving);
            using TlsPair pair = new TlsPair(
                TlsPair.ClientOptions(ticket, earlyData: true, protocols: [TlsPair.Protocol, SslApplicationProtocol.Http3]), options, time).Run();
            HandshakeTests.AssertComplete(pair);
            Assert.AreEqual(resumed, pair.Client.IsResumed, name);
            AssertEarlyData(pair, false);
        }
    }

    [TestMethod]
    public void Early_data_of_a_hello_that_comes_late_is_rejected()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay());
        Run(TimeSpan.FromSeconds(9), true);
        Run(TimeSpan.FromSeconds(11), false);

        void Run(TimeSpan delay, bool accepted)
        {
            TlsSessionTicket ticket = FirstTicket(options);
            using var pair = new TlsPair(TlsPair.ClientOptions(ticket, earlyData: true), options, Later);
            pair.ServerHost.Now = (long)delay.TotalMicroseconds;
            HandshakeTests.AssertComplete(pair.Run());
            AssertEarlyData(pair, accepted);
        }
    }

    [TestMethod]
    public void A_ticket_of_another_key_ring_or_too_old_costs_a_full_handshake()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys));
        using var others = new TicketKeyRing(SystemRandomSource.Instance);
        using TlsPair foreign = Resume(ticket, TlsPair.ServerOptions(keys: others));
        HandshakeTests.AssertComplete(foreign);
        Assert.IsFalse(foreign.Server.IsResumed);

        using TlsPair old = Resume(ticket, TlsPair.ServerOptions(keys: keys), TestCertificates.Now.AddHours(25));
        HandshakeTests.AssertComplete(old);
        Assert.IsFalse(old.Server.IsResumed);

        using TlsPair off = Resume(ticket, TlsPair.ServerOptions());
        HandshakeTests.AssertComplete(off);
        Assert.IsFalse(off.Server.IsResumed);
    }

    [TestMethod]
    public void A_ticket_is_not_used_under_other_rules_or_for_another_name()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys));
        AssertFull(TlsPair.ClientOptions(ticket, policy: CertificatePolicy.ForServers(
            TestCertificates.Trust, pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.P256.Certificate)])));
        AssertFull(TlsPair.ClientOptions(ticket, policy: CertificatePolicy.ForServers(TestCertificates.Trust, callback: (_, certificate, _, _) => certificate is not null)));
        AssertFull(TlsPair.ClientOptions(ticket, suites: [CipherSuite.Aes256GcmSha384]));
        AssertFull(TlsPair.ClientOptions(ticket, resumption: false));
        AssertFull(TlsPair.ClientOptions(ticket, host: "127.0.0.1"), TestCertificates.Address);

        void AssertFull(TlsClientOptions client, CertificateCredential? credential = null)
        {
            using TlsPair pair = new TlsPair(client, TlsPair.ServerOptions(credential, keys: keys), Later).Run();
            HandshakeTests.AssertComplete(pair);
            Assert.IsFalse(pair.Client.IsResumed);
        }
    }

    [TestMethod]
    public void A_client_that_declines_resumption_gets_no_tickets()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        using TlsPair pair = new TlsPair(TlsPair.ClientOptions(resumption: false), TlsPair.ServerOptions(keys: keys)).Run();
        HandshakeTests.AssertComplete(pair);
        Assert.IsEmpty(pair.ClientHost.Tickets);
        Assert.DoesNotContain("data Application", pair.ServerHost.Events);
    }

    [TestMethod]
    public void A_resumed_client_keeps_its_identity_and_only_under_the_same_rules()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions required = TlsPair.ServerOptions(keys: keys, mode: ClientCertificateMode.Required);
        using TlsPair first = new TlsPair(TlsPair.ClientOptions(credential: TestCertificates.Client), required).Run();
        HandshakeTests.AssertComplete(first);
        using TlsPair resumed = new TlsPair(
            TlsPair.ClientOptions(first.ClientHost.Tickets[0], credential: TestCertificates.Client), required, Later).Run();
        HandshakeTests.AssertComplete(resumed);
        Assert.IsTrue(resumed.Server.IsResumed);
        Assert.AreEqual(TestCertificates.Client.Certificate.Thumbprint, resumed.Server.Peer?.Certificate?.Thumbprint);

        // A ticket of an anonymous client is worth nothing where a certificate is required.
        TlsSessionTicket anonymous = FirstTicket(TlsPair.ServerOptions(keys: keys));
        using TlsPair refused = Resume(anonymous, required);
        Assert.AreEqual(TlsError.Alert(TlsAlert.CertificateRequired, string.Empty).Code, refused.ServerError.Code);

        TlsSessionTicket optional = FirstTicket(TlsPair.ServerOptions(keys: keys, mode: ClientCertificateMode.Optional));
        using TlsPair refusedToo = Resume(optional, required);
        Assert.AreEqual(TlsError.Alert(TlsAlert.CertificateRequired, string.Empty).Code, refusedToo.ServerError.Code);
    }

    [TestMethod]
    public void A_wrong_binder_is_decrypt_error()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(keys: keys);
        TlsSessionTicket ticket = FirstTicket(options);
        using var pair = new TlsPair(TlsPair.ClientOptions(ticket), options, Later)
        {
            Tamper = (fromServer, _, message) => fromServer ? message : MessageEdit.WithBitFlipped(message, ^1),
        };
        pair.Run();
        Assert.AreEqual(TlsError.Alert(TlsAlert.DecryptError, string.Empty).Code, pair.ServerError.Code);
    }

    [TestMethod]
    public void A_binder_covers_all_of_the_hello_before_it()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(keys: keys);
        TlsSessionTicket ticket = FirstTicket(options);
        using var pair = new TlsPair(TlsPair.ClientOptions(ticket), options, Later)
        {
            Tamper = (fromServer, _, message) => fromServer ? message : MessageEdit.WithBitFlipped(message, 6),
        };
        pair.Run();
        Assert.AreEqual(TlsError.Alert(TlsAlert.DecryptError, string.Empty).Code, pair.ServerError.Code);
    }

    [TestMethod]
    public void A_server_that_accepts_early_data_and_changes_what_it_was_sent_under_is_refused()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsSessionTicket ticket = FirstTicket(TlsPair.ServerOptions(keys: keys, earlyData: true, antiReplay: new BoundedAntiReplay()));
        using var pair = new TlsPair(
            TlsPair.ClientOptions(ticket, earlyData: true),
            TlsPair.ServerOptions(keys: keys, suites: [CipherSuite.Aes256GcmSha384]),
            Later)
        {
            Tamper = (fromServer, _, message) => fromServer && MessageEdit.TypeOf(message) == HandshakeType.EncryptedExtensions
                ? MessageEdit.WithExtension(message, ExtensionType.EarlyData)
                : message,
        };
        pair.Run();
        Assert.AreEqual(TlsError.Illegal(string.Empty).Code, pair.ClientError.Code);
    }

    [TestMethod]
    public void Ticket_keys_rotate_and_old_ones_open_until_their_tickets_are_dead()
    {
        DateTimeOffset start = TestCertificates.Now;
        using var keys = new TicketKeyRing(SystemRandomSource.Instance, TimeSpan.FromHours(2), TimeSpan.FromHours(1));
        byte[] first = keys.Seal([1, 2, 3], start);
        byte[] second = keys.Seal([4], start.AddHours(1));
        Assert.AreNotEqual(Convert.ToHexString(first[..4]), Convert.ToHexString(second[..4]), "The key is the same.");
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, keys.Open(first, start.AddHours(2.9))!.Span.ToArray());
        Assert.IsNull(keys.Open(first, start.AddHours(3)));
        Assert.IsNotNull(keys.Open(second, start.AddHours(3)));
        for (int i = 0; i < first.Length; i++)
        {
            Assert.IsNull(keys.Open(MessageEdit.WithBitFlipped(first, i), start), $"bit of byte {i}");
            Assert.IsNull(keys.Open(first.AsSpan(0, i), start), $"cut to {i}");
        }
    }

    [TestMethod]
    public void The_memory_of_early_data_is_bounded_and_says_no_when_full()
    {
        var memory = new BoundedAntiReplay(8);
        DateTimeOffset now = TestCertificates.Now;
        DateTimeOffset until = now.AddSeconds(20);
        for (byte i = 0; i < 8; i++)
        {
            Assert.IsTrue(memory.TryUse(Identifier(i), now, until), $"new {i}");
        }

        for (byte i = 0; i < 8; i++)
        {
            Assert.IsFalse(memory.TryUse(Identifier(i), now, until), $"again {i}");
        }

        Assert.IsFalse(memory.TryUse(Identifier(9), now, until), "It is full.");
        Assert.IsTrue(memory.TryUse(Identifier(9), now.AddSeconds(21), until.AddSeconds(21)), "It has forgotten.");

        static byte[] Identifier(byte value) => [.. Enumerable.Repeat(value, 32)];
    }

    private static TlsSessionTicket FirstTicket(TlsServerOptions options)
    {
        using TlsPair pair = new TlsPair(serverOptions: options).Run();
        HandshakeTests.AssertComplete(pair);
        return pair.ClientHost.Tickets[0];
    }

    private static TlsPair Resume(TlsSessionTicket ticket, TlsServerOptions options, DateTimeOffset? time = null) =>
        new TlsPair(TlsPair.ClientOptions(ticket), options, time ?? Later).Run();

    private static void AssertEarlyData(TlsPair pair, bool accepted)
    {
        Assert.AreEqual(accepted, pair.ClientHost.EarlyData);
        Assert.AreEqual(accepted, pair.ServerHost.EarlyData);
        Assert.AreEqual(accepted, pair.Client.EarlyDataAccepted);
        Assert.AreEqual(accepted, pair.Server.EarlyDataAccepted);
        Assert.AreEqual(accepted, pair.ServerHost.Secrets.ContainsKey((EncryptionLevel.EarlyData, KeyDirection.Receive)));
    }
}
