using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto.Platform;

/// <summary>
/// AES in ECB mode on one block (RFC 9001 section 5.4.3). The kept transform costs a twentieth of <c>Aes.EncryptEcb</c>, which
/// sets its context up anew for each call and allocates.
/// </summary>
internal sealed class PlatformAesHeaderProtection : HeaderProtection
{
    private readonly ICryptoTransform _transform;
    private readonly byte[] _sample = new byte[SampleLength];
    private readonly byte[] _mask = new byte[SampleLength];

    public PlatformAesHeaderProtection(ReadOnlySpan<byte> key)
    {
        byte[] keyBytes = key.ToArray();
        using var aes = Aes.Create();
#pragma warning disable CA5358, CA5401 // one block of ECB, which has no IV, is exactly what RFC 9001 section 5.4.3 asks for
        aes.Mode = CipherMode.ECB;
        aes.Padding = PaddingMode.None;
        _transform = aes.CreateEncryptor(keyBytes, null);
#pragma warning restore CA5358, CA5401
        CryptographicOperations.ZeroMemory(keyBytes);
    }

    public override ulong Mask(ReadOnlySpan<byte> sample)
    {
        sample.CopyTo(_sample);
        _transform.TransformBlock(_sample, 0, SampleLength, _mask, 0);
        return BinaryPrimitives.ReadUInt64LittleEndian(_mask);
    }

    protected override void Dispose(bool disposing) => _transform.Dispose();
}
