using Post.Sockets;

namespace Post.Quic;

/// <summary>
/// A <see cref="Post.Sockets.Local"/> as configuration states it. Named options: a program may have several, and the unnamed one
/// is the default.
/// </summary>
public sealed class PostLocalOptions
{
    /// <summary>
    /// The file with the certificate: PKCS#12 (<c>.pfx</c>, <c>.p12</c>) or PEM. Null: no identity, which only clients may do without.
    /// </summary>
    public string? CertificatePath { get; set; }

    /// <summary>The file with the private key in PEM, where the certificate's file does not hold it.</summary>
    public string? PrivateKeyPath { get; set; }

    /// <summary>The password of the certificate's file or of the private key.</summary>
    public string? CertificatePassword { get; set; }

    /// <summary>
    /// With no <see cref="CertificatePath"/>: makes a new identity of this name each time the program starts. For development, and
    /// for peers that judge by something else.
    /// </summary>
    public string? EphemeralIdentity { get; set; }

    /// <summary>
    /// Where to listen, or from where to connect: <c>address:port</c>, for example <c>0.0.0.0:4433</c> or <c>[::]:4433</c>;
    /// port 0: the system chooses.
    /// </summary>
    public IList<string> EndPoints { get; } = [];

    /// <summary>
    /// Further addresses at which clients can reach the listener, as they see them: <c>address:port</c>, at most eight. Clients open paths to them.
    /// </summary>
    public IList<string> FurtherEndPoints { get; } = [];

    /// <summary>The network interfaces that may be used, the preferred ones first; empty: all.</summary>
    public IList<string> Interfaces { get; } = [];

    /// <summary>The network interfaces whose traffic is paid for: they are used when no other works.</summary>
    public IList<string> MeteredInterfaces { get; } = [];

    /// <summary>Keeps sessions in memory, so that a later association with the same Remote starts quickly. Default: yes.</summary>
    public bool KeepSessions { get; set; } = true;

    /// <summary>
    /// The public keys that may associate with us when we listen (<c>sha256:</c> and 64 hexadecimal digits each); empty: anyone.
    /// </summary>
    public IList<string> TrustedKeys { get; } = [];

    /// <summary>The options of this Local's associations.</summary>
    public AssociationOptions Association
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Association));
            field = value;
        }
    } = new();

    /// <summary>
    /// How this Local listens, where a hosted listener does. Its <see cref="ListenerOptions.ClientTrust"/> is null by default: clients must then prove
    /// what <see cref="TrustedKeys"/> says, and where that is empty, nothing.
    /// </summary>
    public ListenerOptions Listener
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Listener));
            field = value;
        }
    } = new();
}
