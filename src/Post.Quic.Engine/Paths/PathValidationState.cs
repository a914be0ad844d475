namespace Post.Quic.Engine.Paths;

/// <summary>How far the validation of a path has come.</summary>
internal enum PathValidationState : byte
{
    /// <summary>Not asked for.</summary>
    None,

    /// <summary>Challenges are out or about to be.</summary>
    Validating,

    Succeeded,

    Failed,
}
