using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tests.Wire;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Wire;

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
    [DataRow(11)]
    [DataRow(12)]
    public void Mutated_messages_are_parsed_or_refused(int seed)
    {
        int wellFormed = 0;
        for (int i = 0; i < 150_000; i++)
        {
            byte[] input = Mutated(LazyMessages.Value, seed, i);
            wellFormed += Guard(seed, i, input, () => ParseAsEverything(input)) ? 1 : 0;
        }

        Assert.IsInRange(1_000, 149_000, wellFormed, "The mutations are all of one kind.");
    }

    [TestMethod]
    public void Mutated_certificates_are_parsed_and_judged_or_refused()
    {
        const int seed = 21;
        CertificateCredential[] credentials = [TestCertificates.P256, TestCertificates.Rsa, TestCertificates.P521, TestCertificates.Client];
        byte[][] certificates = [.. credentials.Select(static c => c.Certificate.RawData), TestCertificates.Root.RawData];
        CertificatePolicy policy = CertificatePolicy.ForServers(TestCertificates.Trust);
        CertificatePolicy pinned = CertificatePolicy.ForServers(pinnedPublicKeys: [new byte[32]]);
        int judged = 0;
        for (int i = 0; i < 6_000; i++)
        {
            byte[] input = Mutated(certificates, seed, i);
            if (input.Length == 0)
            {
                continue;
            }

            Guard(seed, i, input, () =>
            {
                TransportError error = CertificateChainParser.Parse([input], out X509Certificate2? certificate, out _);
                if (error.IsError)
                {
                    return error;
                }

                SignatureSchemes.Verify(certificate!, SignatureScheme.EcdsaSecp256r1Sha256, [1], input.AsSpan(..Math.Min(72, input.Length)));
                var request = new CertificateValidationRequest(pinned, certificate!, [], TestCertificates.Host, TestCertificates.Now);
                request.Validate();
                if (judged++ < 300)
                {
                    new CertificateValidationRequest(policy, certificate!, [], TestCertificates.Host, TestCertificates.Now).Validate();
                }

                return default;
            });
        }

        Assert.IsGreaterThan(100, judged, "Too few mutations came as far as being judged.");
    }

    [TestMethod]
    public void A_server_survives_mutated_hellos()
    {
        const int seed = 31;
        byte[][] hellos = [.. LazyMessages.Value.Where(static m => MessageEdit.TypeOf(m) == HandshakeType.ClientHello)];
        for (int i = 0; i < 60_000; i++)
        {
            byte[] input = Mutated(hellos, seed, i);
            Guard(seed, i, input, () =>
            {
                var host = new TestTlsHost();
                using var server = new TlsServer(host, new SeededRandomSource(seed), default);
                host.Session = server;
                return server.Receive(EncryptionLevel.Initial, input, 0);
            });
        }
    }

    [TestMethod]
    public void Both_sides_survive_mutations_in_every_state()
    {
        const int seed = 41;
        using TicketKeyRing keys = TlsPair.Keys();
        TlsServerOptions options = TlsPair.ServerOptions(
            keys: keys,
            mode: ClientCertificateMode.Optional,
            earlyData: true,
            antiReplay: new BoundedAntiReplay(),
            groups: [NamedGroup.Secp384r1, NamedGroup.Secp256r1],
            policy: CertificatePolicy.ForClients(pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.Client.Certificate)]));
        CertificatePolicy policy = CertificatePolicy.ForServers(
            pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.P256.Certificate)]);
        using TlsPair first = new TlsPair(TlsPair.ClientOptions(policy: policy), options).Run();
        HandshakeTests.AssertComplete(first);
        TlsSessionTicket ticket = first.ClientHost.Tickets[0];
        for (int i = 0; i < 400; i++)
        {
            int target = 1 + FuzzRandom.ForInput(seed, i).Below(11);
            byte[] input = [];
            int round = i;
            using var pair = new TlsPair(
                TlsPair.ClientOptions(
                    i % 3 == 0 ? ticket : null,
                    groups: i % 2 == 0 ? [NamedGroup.Secp256r1, NamedGroup.Secp384r1] : [NamedGroup.Secp384r1],
                    policy: policy,
                    credential: TestCertificates.Client,
                    earlyData: true),
                options)
            {
                ChunkLength = i % 5 == 0 ? 13 : int.MaxValue,
                Tamper = (_, _, message) => --target == 0 ? input = Mutated([message], seed, round) : message,
            };
            Guard(seed, i, input, () => pair.Run().ClientError);
            Guard(seed, i, input, () => pair.ServerError);
        }
    }

    /// <summary>One of the messages, spoilt; the same one again for the same seed and number.</summary>
    private static byte[] Mutated(byte[][] messages, int seed, int number)
    {
        FuzzRandom random = FuzzRandom.ForInput((ulong)seed, number);
        byte[] message = messages[random.Below(messages.Length)];
        byte[] buffer = [.. message, 0, 0, 0, 0];
        return buffer[..Mutator.Mutate(buffer, message.Length, ref random)];
    }

    /// <summary>Whether the input was taken; fails the test for an exception or an error that is not the peer's.</summary>
    private static bool Guard(int seed, int round, byte[] input, Func<TransportError> action)
    {
        TransportError error = default;
        try
        {
            error = action();
        }
        catch (Exception escaped)
        {
            Assert.Fail($"seed {seed}, round {round}, input {Convert.ToHexStringLower(input)}: {escaped}");
        }

        // What TLS may say: an alert, or one of QUIC's errors around the handshake; never that we are at fault.
        bool isAlert = (ulong)error.Code is > 0x100 and < 0x200 &&
            error.Code != TlsError.Alert(TlsAlert.InternalError, string.Empty).Code;
        Assert.IsTrue(
            !error.IsError || isAlert || error.Code is TransportErrorCode.ProtocolViolation or TransportErrorCode.CryptoBufferExceeded,
            $"seed {seed}, round {round}, input {Convert.ToHexStringLower(input)}: {error}");
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

        messages.Add(ticket!.ToArray());
        return [.. messages];
    }
}
