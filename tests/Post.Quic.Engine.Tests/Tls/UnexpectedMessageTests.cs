using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Tls;

[TestClass]
public sealed class UnexpectedMessageTests
{
    private static readonly HandshakeType[] AllTypes = [.. Enum.GetValues<HandshakeType>(), 0, (HandshakeType)99];

    [TestMethod]
    public void In_every_state_of_a_client_what_does_not_belong_there_is_unexpected() => TryAll(fromServer: true);

    [TestMethod]
    public void In_every_state_of_a_server_what_does_not_belong_there_is_unexpected() => TryAll(fromServer: false);

    [TestMethod]
    public void After_the_handshake_a_client_takes_tickets_only()
    {
        foreach (HandshakeType type in AllTypes.Where(static t => t != HandshakeType.NewSessionTicket))
        {
            using TlsPair pair = new TlsPair().Run();
            TransportError error = pair.Client.Receive(EncryptionLevel.Application, MessageEdit.Message(type), 0);

            // RFC 9001 section 4.4 has another error for authentication after the handshake.
            TransportErrorCode expected = type == HandshakeType.CertificateRequest
                ? TransportErrorCode.ProtocolViolation
                : TlsError.Unexpected(string.Empty).Code;
            Assert.AreEqual(expected, error.Code, type.ToString());
        }
    }

    [TestMethod]
    public void After_the_handshake_a_server_takes_nothing()
    {
        foreach (HandshakeType type in AllTypes)
        {
            using TlsPair pair = new TlsPair().Run();
            TransportError error = pair.Server.Receive(EncryptionLevel.Application, MessageEdit.Message(type), 0);
            Assert.AreEqual(TlsError.Unexpected(string.Empty).Code, error.Code, type.ToString());
        }
    }

    [TestMethod]
    public void Bytes_in_another_level_than_the_awaited_one_are_a_protocol_violation()
    {
        foreach (EncryptionLevel level in Enum.GetValues<EncryptionLevel>())
        {
            using var pair = new TlsPair();
            pair.Client.Start(0);
            TransportError error = pair.Client.Receive(level, [2], 0);
            Assert.AreEqual(
                level == EncryptionLevel.Initial ? TransportErrorCode.NoError : TransportErrorCode.ProtocolViolation, error.Code);

            using TlsPair complete = new TlsPair().Run();
            error = complete.Client.Receive(level, [4], 0);
            Assert.AreEqual(
                level == EncryptionLevel.Application ? TransportErrorCode.NoError : TransportErrorCode.ProtocolViolation, error.Code);
        }
    }

    [TestMethod]
    public void An_oversized_message_is_refused_by_its_header()
    {
        foreach (bool fromServer in new[] { false, true })
        {
            using var pair = new TlsPair
            {
                Tamper = (server, _, message) => server == fromServer ? [message[0], 1, 0, 1] : message,
            };
            pair.Run();
            TransportError error = fromServer ? pair.ClientError : pair.ServerError;
            Assert.AreEqual(TlsError.Decode(string.Empty).Code, error.Code);
        }
    }

    [TestMethod]
    public void The_largest_message_is_awaited()
    {
        using var pair = new TlsPair();
        const int length = Limits.MaxTlsMessage;
        Assert.IsFalse(pair.Server.Receive(EncryptionLevel.Initial, [1, length >> 16, (length >> 8) & 0xff, length & 0xff], 0).IsError);
        TransportError error = default;
        for (int sent = 0; sent < length && !error.IsError; sent += 1024)
        {
            Assert.IsTrue(pair.Server.HasPartialMessage(EncryptionLevel.Initial));
            error = pair.Server.Receive(EncryptionLevel.Initial, new byte[1024], 0);
        }

        Assert.AreEqual(TlsError.Decode(string.Empty).Code, error.Code);
    }

    /// <summary>Replaces each message of one side in turn by each type of message that must not stand there.</summary>
    private static void TryAll(bool fromServer)
    {
        int states = CountMessages(fromServer);
        Assert.IsGreaterThanOrEqualTo(4, states);
        for (int state = 0; state < states; state++)
        {
            foreach (HandshakeType type in AllTypes)
            {
                int index = 0;
                HandshakeType replaced = default;
                using TlsPair pair = Pair();
                pair.Tamper = (server, level, message) =>
                {
                    if (server != fromServer || index++ != state)
                    {
                        return message;
                    }

                    replaced = MessageEdit.TypeOf(message);
                    return IsAllowed(replaced, type) || level == EncryptionLevel.Application ? message : MessageEdit.Message(type);
                };
                pair.Run();
                TransportError error = fromServer ? pair.ClientError : pair.ServerError;
                if (IsAllowed(replaced, type))
                {
                    Assert.IsFalse(error.IsError, $"{replaced}: {error}");
                }
                else
                {
                    Assert.AreEqual(TlsError.Unexpected(string.Empty).Code, error.Code, $"{type} in the place of {replaced}: {error}");
                }
            }
        }
    }

    // A server may go without asking for a certificate: its own may stand where the request would.
    private static bool IsAllowed(HandshakeType awaited, HandshakeType type) =>
        type == awaited || (awaited == HandshakeType.CertificateRequest && type == HandshakeType.Certificate);

    private static int CountMessages(bool fromServer)
    {
        int count = 0;
        using TlsPair pair = Pair();
        pair.Tamper = (server, level, message) =>
        {
            count += server == fromServer ? 1 : 0;
            return message;
        };
        HandshakeTests.AssertComplete(pair.Run());
        return count;
    }

    // Pinned keys: chains would be built hundreds of times.
    private static TlsPair Pair() => new(
        TlsPair.ClientOptions(
            policy: CertificatePolicy.ForServers(pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.P256.Certificate)]),
            credential: TestCertificates.Client,
            groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
        TlsPair.ServerOptions(
            policy: CertificatePolicy.ForClients(pinnedPublicKeys: [CertificatePolicy.PublicKeyHash(TestCertificates.Client.Certificate)]),
            mode: ClientCertificateMode.Required,
            groups: [NamedGroup.Secp384r1]));
}
