using Microsoft.Extensions.Options;
using Post.Quic.Engines;

namespace Post.Quic.DependencyInjection;

/// <summary>Says at start that no engine can serve the options, and the remedy; not asked where the application brings its own transport.</summary>
internal sealed class EngineValidator : IValidateOptions<PostQuicOptions>
{
    public ValidateOptionsResult Validate(string? name, PostQuicOptions options) =>
        new EngineChoice(EngineChoice.Known).FindObstacle(options) is { } obstacle
            ? ValidateOptionsResult.Fail(obstacle)
            : ValidateOptionsResult.Success;
}
