using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Wire;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Tls;

/// <summary>
/// Mutated messages in both roles: an error or none, never an exception. Parsers take most of them, since they cost no
/// cryptography; whole sessions take the rest.
/// </summary>
[TestClass]
public sealed class TlsMutationTests
{
    private static readonly Lazy<byte[][]> LazyMessages = new(Collect);

    [TestMethod]
    [Mutates(MutationRoom.TlsMessages)]
    [DataRow(1)]
    [DataRow(2)]
    public void Mutated_messages_are_parsed_or_refused(int run)
    {
        int wellFormed = 0;
        MutationRun.Of(MutationRoom.TlsMessages, run, (ref FuzzRandom random, int _) =>
        {
            byte[] input = Mutated(LazyMessages.Value, ref random);
            wellFormed += Guard(input, () => ParseAsEverything(input)) ? 1 : 0;
            return 1;
        });
        Assert.IsInRange(
            1_000, MutationBudget.InputsOfOneTest(MutationRoom.TlsMessages) - 1_000, wellFormed, "The mutations are all of one kind.");
    }

    [TestMethod]
    [Mutates(MutationRoom.Certificates)]
    public void Mutated_certificates_are_parsed_and_judged_or_refused()
    {
        CertificateCredential[] credentials = [TestCertificates.P256, TestCertificates.Rsa, TestCertificates.P521, TestCertificates.Client];
        byte[][] certificates = [.. credentials.Select(static c => c.Certificate.RawData), TestCertificates.Root.RawData];
        CertificatePolicy policy = CertificatePolicy.ForServers(TestCertificates.Trust);
        CertificatePolicy pinned = CertificatePolicy.ForServers(pinnedPublicKeys: [new byte[32]]);
        int judged = 0;
        MutationRun.Of(MutationRoom.Certificates, 1, (ref FuzzRandom random, int most) =>
        {
            byte[] input = Mutated(certificates, ref random);
            Guard(input, () =>
            {
                TransportError error = PeerCredentialParser.Parse(
                    CertificateType.X509, [input], CryptoProviderFactory.Default, out PeerCredential? peer);
                if (error.IsError)
                {
                    return error;
                }

                peer!.Verify(SignatureScheme.EcdsaSecp256r1Sha256, [1], input.AsSpan(..Math.Min(72, input.Length)));
                var request = new CertificateValidationRequest(pinned, peer, TestCertificates.Host, TestCertificates.Now);
                request.Validate();
                if (judged++ < 300)
                {
                    new CertificateValidationRequest(policy, peer, TestCertificates.Host, TestCertificates.Now).Validate();
                }

                return default;
            });
            return 1;
        });
        Assert.IsGreaterThan(100, judged, "Too few mutations came as far as being judged.");
    }

    [TestMethod]
    [Mutates(MutationRoom.RawKeys)]
    public void Mutated_raw_keys_are_parsed_and_judged_or_refused()
    {
        byte[][] keys = [.. TestKeys.All.Select(static key => key.PublicKey.Encoded.ToArray())];
        byte[] signature = TestKeys.All[0].Sign([1]);
        CertificatePolicy pinned = CertificatePolicy.ForServers(pinnedPublicKeys: [new byte[32]]);
        int taken = 0;
        MutationRun.Of(MutationRoom.RawKeys, 1, (ref FuzzRandom random, int _) =>
        {
            byte[] input = Mutated(keys, ref random);
            taken += Guard(input, () =>
            {
                TransportError error = PeerCredentialParser.Parse(
                    CertificateType.RawPublicKey, [input], CryptoProviderFactory.Default, out PeerCredential? peer);
                if (!error.IsError)
                {
                    foreach (SignatureScheme scheme in Enum.GetValues<SignatureScheme>())
                    {
                        bool isOwn = peer!.RawKey!.Equals(TestKeys.All[0].PublicKey) && peer.Fits(scheme);
                        Assert.AreEqual(isOwn, peer.Verify(scheme, [1], signature));
                    }

                    new CertificateValidationRequest(pinned, peer!, string.Empty, TestCertificates.Now).Validate();
                }

                return error;
            }) ? 1 : 0;
            return 1;
        });
        Assert.IsGreaterThan(100, taken, "Too few mutations came as far as being judged.");
    }

    [TestMethod]
    [Mutates(MutationRoom.ClientHellos)]
    public void A_server_survives_mutated_hellos()
    {
        byte[][] hellos = [.. LazyMessages.Value.Where(static m => MessageEdit.TypeOf(m) == HandshakeType.ClientHello)];
        MutationRun.Of(MutationRoom.ClientHellos, 1, (ref FuzzRandom random, int _) =>
        {
            byte[] input = Mutated(hellos, ref random);
            Guard(input, () =>
            {
                var host = new TestTlsHost();
                using var server = new TlsServer(host, new SeededRandomSource(1), default);
                host.Session = server;
                return server.Receive(EncryptionLevel.Initial, input, 0);
            });
            return 1;
        });
    }

    [TestMethod]
    [Mutates(MutationRoom.Handshakes)]
    public void Both_sides_survive_mutations_in_every_state()
    {
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(
            keys: keys,
            mode: ClientCertificateMode.Optional,
            earlyData: true,
            antiReplay: new BoundedAntiReplay(),
            groups: [NamedGroup.Secp384r1, NamedGroup.Secp256r1],
            policy: CertificatePolicy.ForClients(pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.Client.Certificate)]));
        TlsServerOptions rawOptions = TlsPair.ServerOptions(
            keys: keys,
            mode: ClientCertificateMode.Required,
            groups: [NamedGroup.Secp384r1, NamedGroup.Secp256r1],
            policy: TestKeys.PinnedClient(TestKeys.All[1]),
            rawKey: new RawKeyCredential(TestKeys.All[0]));
        CertificatePolicy policy = CertificatePolicy.ForServers(
            pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.P256.Certificate)]);
        using TlsPair first = new TlsPair(TlsPair.ClientOptions(policy: policy), options).Run();
        HandshakeTests.AssertComplete(first);
        TlsSessionTicket ticket = first.ClientHost.Tickets[0];
        MutationRun.Of(MutationRoom.Handshakes, 1, (ref FuzzRandom random, int _) =>
        {
            int target = 1 + random.Below(11);
            FuzzRandom changes = random;
            byte[] input = [];
            bool isRaw = random.Below(3) == 0;
            using var pair = new TlsPair(
                isRaw ? TlsPair.ClientOptions(
                    groups: random.Coin() ? [NamedGroup.Secp256r1, NamedGroup.Secp384r1] : [NamedGroup.Secp384r1],
                    policy: TestKeys.Pinned(TestKeys.All[0]),
                    rawKey: new RawKeyCredential(TestKeys.All[1])) : TlsPair.ClientOptions(
                    random.Below(3) == 0 ? ticket : null,
                    groups: random.Coin() ? [NamedGroup.Secp256r1, NamedGroup.Secp384r1] : [NamedGroup.Secp384r1],
                    policy: policy,
                    credential: TestCertificates.Client,
                    earlyData: true),
                isRaw ? rawOptions : options)
            {
                ChunkLength = random.Below(5) == 0 ? 13 : int.MaxValue,
                Tamper = (_, _, message) => --target == 0 ? input = Mutated([message], ref changes) : message,
            };
            Guard(input, () => pair.Run().ClientError);
            Guard(input, () => pair.ServerError);
            return 1;
        });
    }

    /// <summary>One of the messages, spoilt.</summary>
    private static byte[] Mutated(byte[][] messages, ref FuzzRandom random)
    {
        byte[] message = messages[random.Below(messages.Length)];
        byte[] buffer = [.. message, 0, 0, 0, 0];
        return buffer[..Mutator.Mutate(buffer, message.Length, ref random)];
    }

    /// <summary>Whether the input was taken; fails the test for an exception or an error that is not the peer's.</summary>
    private static bool Guard(byte[] input, Func<TransportError> action)
    {
        TransportError error = default;
        try
        {
            error = action();
        }
        catch (Exception escaped)
        {
            Assert.Fail($"input {Convert.ToHexStringLower(input)}: {escaped}");
        }

        // What TLS may say: an alert, or one of QUIC's errors around the handshake; never that we are at fault.
        bool isAlert = (ulong)error.Code is > 0x100 and < 0x200 &&
            error.Code != TlsError.Alert(TlsAlert.InternalError, string.Empty).Code;
        Assert.IsTrue(
            !error.IsError || isAlert || error.Code is TransportErrorCode.ProtocolViolation or TransportErrorCode.CryptoBufferExceeded,
            $"input {Convert.ToHexStringLower(input)}: {error}");
        return !error.IsError;
    }

    private static TransportError ParseAsEverything(byte[] input)
    {
        _ = TlsSessionTicket.TryParse(input, out _);
        if (input.Length < HandshakeAssembler.HeaderLength)
        {
            return default;
        }

        switch (MessageEdit.TypeOf(input))
        {
            case HandshakeType.ClientHello:
                TransportError error = ClientHello.Parse(input, out ClientHello hello);
                if (!error.IsError)
                {
                    error = ClientOffer.Read(hello, out ClientOffer offer);
                    if (!error.IsError)
                    {
                        KeyShareEntries.TryFind(offer.KeyShares, NamedGroup.Secp256r1, out _);
                        for (int i = 0; i < 3 && offer.PreSharedKeys.TryGet(i, out _, out _, out _); i++)
                        {
                        }

                        error = SecondHelloRules.Check(hello, offer, NamedGroup.Secp256r1, default);
                    }
                }

                return error;
            case HandshakeType.ServerHello:
                error = ServerHello.Parse(input, out ServerHello server);
                if (!error.IsError && server.Extensions.TryFind(ExtensionType.KeyShare, out ReadOnlySpan<byte> share))
                {
                    KeyShareEntries.TryReadServer(share, out _, out _);
                    KeyShareEntries.TryReadRetry(share, out _);
                }

                return error;
            case HandshakeType.Certificate:
                return CertificateMessage.Parse(input, out _);
            case HandshakeType.CertificateRequest:
                return CertificateRequestMessage.Parse(input, out _, out _);
            case HandshakeType.NewSessionTicket:
                return NewSessionTicketMessage.Parse(input, out _);
            case HandshakeType.EncryptedExtensions:
                return EncryptedExtensions.Parse(input, out _);
            default:
                return ExtensionBlock.Parse(input, ExtensionPlace.CertificateRequest, out _);
        }
    }

    /// <summary>Every kind of message, with and without a retry, client certificates, resumption and early data.</summary>
    private static byte[][] Collect()
    {
        var messages = new List<byte[]>();
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(
            keys: keys, mode: ClientCertificateMode.Optional, earlyData: true, antiReplay: new BoundedAntiReplay(), cookie: [1, 2, 3]);
        TlsSessionTicket? ticket = null;
        for (int i = 0; i < 2; i++)
        {
            using var pair = new TlsPair(
                TlsPair.ClientOptions(
                    ticket,
                    groups: i == 0 ? [NamedGroup.Secp384r1, NamedGroup.Secp256r1] : null,
                    credential: TestCertificates.Client,
                    earlyData: true),
                i == 0 ? TlsPair.ServerOptions(
                    keys: keys, mode: ClientCertificateMode.Optional, groups: [NamedGroup.Secp256r1], earlyData: true, cookie: [1, 2, 3]) : options)
            {
                Tamper = (_, _, message) =>
                {
                    messages.Add(message);
                    return message;
                },
            };
            HandshakeTests.AssertComplete(pair.Run());
            ticket = pair.ClientHost.Tickets[0];
        }

        using (var pair = new TlsPair(
            TlsPair.ClientOptions(policy: TestKeys.Pinned(TestKeys.All[0]), credential: TestCertificates.Client, rawKey: new RawKeyCredential(TestKeys.All[1])),
            TlsPair.ServerOptions(
                mode: ClientCertificateMode.Required, rawKey: new RawKeyCredential(TestKeys.All[0]), policy: TestKeys.PinnedClient(TestKeys.All[1])))
        {
            Tamper = (_, _, message) =>
            {
                messages.Add(message);
                return message;
            },
        })
        {
            HandshakeTests.AssertComplete(pair.Run());
        }

        messages.Add(ticket!.ToArray());
        return [.. messages];
    }
}
