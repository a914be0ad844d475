using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Post.Sockets;

namespace Post.Quic.SystemNetQuic;

/// <summary>
/// A resumption ticket together with who the server proved to be when it gave it: a resumed handshake shows no certificate.
/// </summary>
internal sealed record StoredSession(byte[] Ticket, PeerIdentity Server)
{
    private const byte Format = 1;
    private const int HeaderSize = 1 + 1 + 2 + 4;

    /// <summary>msquic does not tell how long a ticket lives. OpenSSL's servers give two hours; one that is refused costs nothing.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);

    public byte[] Encode()
    {
        byte[] name = Encoding.UTF8.GetBytes(Server.Name ?? string.Empty);
        byte[] certificate = Server.Certificate?.RawData ?? [];
        byte[] encoded = new byte[HeaderSize + name.Length + certificate.Length + Ticket.Length];
        encoded[0] = Format;
        encoded[1] = (byte)Server.Proof;
        BinaryPrimitives.WriteUInt16BigEndian(encoded.AsSpan(2), (ushort)name.Length);
        BinaryPrimitives.WriteInt32BigEndian(encoded.AsSpan(4), certificate.Length);
        name.CopyTo(encoded, HeaderSize);
        certificate.CopyTo(encoded, HeaderSize + name.Length);
        Ticket.CopyTo(encoded, HeaderSize + name.Length + certificate.Length);
        return encoded;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; anything else, since a cache may be a file, is no session.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, [NotNullWhen(true)] out StoredSession? session)
    {
        session = null;
        if (encoded.Length <= HeaderSize || encoded[0] != Format)
        {
            return false;
        }

        int nameLength = BinaryPrimitives.ReadUInt16BigEndian(encoded[2..]);
        int certificateLength = BinaryPrimitives.ReadInt32BigEndian(encoded[4..]);
        if (certificateLength <= 0 || nameLength + (long)certificateLength >= encoded.Length - HeaderSize)
        {
            return false;
        }

        try
        {
            X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(
                encoded.Slice(HeaderSize + nameLength, certificateLength));
            var server = new PeerIdentity
            {
                Proof = (PeerProof)encoded[1],
                Name = nameLength == 0 ? null : Encoding.UTF8.GetString(encoded.Slice(HeaderSize, nameLength)),
                Key = KeyFingerprint.Of(certificate),
                Certificate = certificate,
            };
            session = new StoredSession(encoded[(HeaderSize + nameLength + certificateLength)..].ToArray(), server);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
