namespace Post.Quic.Locals;

/// <summary>What messages call a Local.</summary>
internal static class LocalName
{
    /// <summary>The beginning of a sentence about the Local of a name.</summary>
    public static string Prefix(string? name) => string.IsNullOrEmpty(name) ? "The default Local: " : $"Local '{name}': ";
}
