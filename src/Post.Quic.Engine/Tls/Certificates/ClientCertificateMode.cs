namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>Whether a server asks its clients for a certificate.</summary>
internal enum ClientCertificateMode
{
    /// <summary>Clients stay anonymous.</summary>
    None,

    /// <summary>Asked for; a client may have none.</summary>
    Optional,

    /// <summary>A client without one is refused with certificate_required.</summary>
    Required,
}
