using System.Security.Cryptography;
using System.Text;

namespace Post.Sockets.Objects;

/// <summary>What the part of an object is kept under: its durable id within the scope of whoever sends it.</summary>
internal static class DurableKey
{
    public static string Of(PeerIdentity peer, ReadOnlySpan<byte> durableId)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        // A certificate may be renewed, with another key, under the name that the authority vouches for. The first byte keeps names, keys and
        // nothing apart; the last one of a name, which has no zero in it, keeps name and id apart.
        if (peer is { Proof: PeerProof.CertificateAuthority, Name: { } name })
        {
            hash.AppendData([2, .. Encoding.UTF8.GetBytes(name.ToLowerInvariant()), 0]);
        }
        else if (peer is { Proof: not PeerProof.None, Key: { } key })
        {
            hash.AppendData([1, .. key.Bytes]);
        }
        else
        {
            hash.AppendData([0]);
        }

        hash.AppendData(durableId);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
