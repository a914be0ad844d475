using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>What a client answers to a CertificateRequest: a credential and how to sign with it, or nothing.</summary>
internal sealed class ClientCertificateAnswer
{
    private ClientCertificateAnswer(Credential? credential, SignatureScheme scheme)
    {
        Credential = credential;
        Scheme = scheme;
    }

    public Credential? Credential { get; }

    public SignatureScheme Scheme { get; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Entries => Credential?.Entries ?? [];

    public static TransportError Create(
        Func<IReadOnlyList<byte[]>, Credential?>? select,
        ReadOnlySpan<byte> peerSchemes,
        List<byte[]> authorities,
        out ClientCertificateAnswer? answer)
    {
        Credential? credential;
        try
        {
            credential = select?.Invoke(authorities);
        }
        catch (Exception)
        {
            // The selection is the user's code; what it throws must not leave the core.
            answer = null;
            return TlsError.Alert(TlsAlert.InternalError, "The selection of a client certificate failed.");
        }

        // RFC 8446 section 4.4.2: a client without a suitable certificate sends an empty list.
        SignatureScheme scheme = default;
        bool isSuitable = credential is not null && credential.TrySelect(peerSchemes, out scheme);
        answer = new ClientCertificateAnswer(isSuitable ? credential : null, scheme);
        return default;
    }
}
