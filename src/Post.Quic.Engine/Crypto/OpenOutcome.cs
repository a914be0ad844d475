namespace Post.Quic.Engine.Crypto;

/// <summary>What came of opening a 1-RTT packet.</summary>
internal enum OpenOutcome : byte
{
    /// <summary>Not authentic, or its keys are gone: drop it in silence.</summary>
    Undecryptable,

    /// <summary>Authentic.</summary>
    Opened,

    /// <summary>
    /// Authentic, and the first packet of a new key phase: previous keys are now kept until
    /// <see cref="ApplicationKeys.DropPrevious"/>, which is due three PTOs from now.
    /// </summary>
    OpenedInNewPhase,

    /// <summary>Authentic, but it breaks the rules of key updates: close with KEY_UPDATE_ERROR.</summary>
    KeyUpdateError,

    /// <summary>Too many forgeries for this AEAD: close with AEAD_LIMIT_REACHED (RFC 9001 section 6.6).</summary>
    IntegrityLimitReached,
}
